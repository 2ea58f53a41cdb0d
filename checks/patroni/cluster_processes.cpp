#include "checks/patroni/cluster_processes.hpp"

#include <spdlog/spdlog.h>

#include <csignal>

#include "harness/process/command.hpp"

namespace pgrehearse {

ClusterProcesses::ClusterProcesses(Sandbox& sandbox, const NewCluster& cluster) {
  Command command{.program = "sh",
                  .arguments = {cluster.start_script.string()},
                  .environment = {{"HOME", cluster.directory.string()}},
                  .timeout = std::chrono::hours(24 * 30),
                  .stop_signal = SIGKILL,  // the PID namespace ends with its first process
                  .grace = std::chrono::seconds(10),
                  .on_line = [this](std::string_view line) { on_line(line); },
                  .keep_output = std::size_t{1} << 14,
                  .isolation = Isolation{}};
  thread_ = std::jthread([this, &sandbox, command = std::move(command)](std::stop_token stop) {
    try {
      static_cast<void>(sandbox.run(command, std::move(stop)));
    } catch (const std::exception& error) {
      spdlog::debug("the new Patroni cluster: {}", error.what());
    }
    const std::lock_guard lock(mutex_);
    all_ended_ = true;
  });
}

ClusterProcesses::~ClusterProcesses() {
  thread_.request_stop();
  thread_.join();
}

void ClusterProcesses::on_line(std::string_view line) {
  const auto end = line.find(" ended with exit code ");
  if (end == std::string_view::npos) return;
  const std::lock_guard lock(mutex_);
  ended_.emplace(line.substr(0, end));
}

bool ClusterProcesses::ended(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return all_ended_ || ended_.contains(name);
}

}  // namespace pgrehearse
