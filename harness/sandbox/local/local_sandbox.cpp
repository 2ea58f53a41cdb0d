#include "harness/sandbox/local/local_sandbox.hpp"

#include <algorithm>
#include <csignal>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/confinement.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/host_resources.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/shared/host_command.hpp"

namespace pgrehearse {

namespace {

constexpr const char* shared_memory = "/dev/shm";

}  // namespace

LocalSandbox::LocalSandbox(CommandRunner& runner, SandboxSpec spec, HostDirectory directory)
    : HostedSandbox(std::move(spec), std::move(directory)),
      runner_(runner),
      memory_kills_before_(memory_kills()),
      available_(available_isolation()) {}

LocalSandbox::~LocalSandbox() {
  destroy_unless_kept();
  relay_.reset();
}

Removal LocalSandbox::remove_everything() {
  relay_.reset();
  return HostedSandbox::remove_everything();
}

CommandResult LocalSandbox::run(const Command& command, std::stop_token stop) {
  // Until it is reaped, a server that has ended looks alive to pg_ctl.
  reap_adopted_children();
  auto inside = host_command(directory(), command);
  if (inside.isolation) inside.isolation = isolation_of_server(*inside.isolation);
  // Writes to a hidden /dev/shm are allowed when there is one.
  if (!inside.isolation || !inside.isolation->memory || server_needs(shared_memory)) {
    inside.confine_writes_to.push_back(shared_memory);
  }
  const auto& sockets = directory().entry().sockets;
  if (!sockets.empty()) inside.confine_writes_to.push_back(sockets);
  if (!inside.isolation || !inside.isolation->processes) {
    return runner_.run(inside, std::move(stop));
  }
  // pg_ctl would signal the process that has the server's number outside.
  inside.on_start = [this](pid_t group) { server_ = group; };
  auto result = runner_.run(inside, std::move(stop));
  server_ = 0;
  return result;
}

bool LocalSandbox::signal_server(int signal) {
  const pid_t group = server_;
  return group != 0 && kill(-group, signal) == 0;
}

// Through /proc, the files and variables of processes of the same account could be read.
Isolation LocalSandbox::isolation_of_server(const Isolation& requested) const {
  auto isolation = available_.means;
  isolation.processes = isolation.processes && requested.processes;
  if (!isolation.memory) return isolation;
  isolation.hidden = spec().readable;
  for (const auto* path : {shared_memory, "/proc", "/run/postgresql", "/tmp", "/var/tmp"}) {
    isolation.hidden.emplace_back(path);
  }
  for (auto& path : isolation.hidden) {
    std::error_code unreadable;
    const auto real = std::filesystem::canonical(path, unreadable);
    if (!unreadable) path = real;
  }
  std::erase_if(isolation.hidden, [this](const auto& path) { return server_needs(path); });
  return isolation;
}

bool LocalSandbox::server_needs(const std::filesystem::path& directory) const {
  const auto binaries = spec().binaries.value_or(paths().root);
  return is_below(paths().root, directory) || is_below(paths().sockets, directory) ||
         is_below(binaries, directory);
}

bool LocalSandbox::take_file(const Sandbox& other, const std::filesystem::path& file,
                             const std::filesystem::path& to) {
  if (dynamic_cast<const LocalSandbox*>(&other) == nullptr) return false;
  const ActingAccount acting(directory().account());
  std::error_code failure;
  std::filesystem::rename(file, to, failure);
  return !failure;
}

IsolationMeans LocalSandbox::isolation() const {
  IsolationMeans means{.missing = available_.missing};
  if (available_.means.network) means.in_force.emplace_back("network namespace");
  if (available_.means.memory) {
    means.in_force.emplace_back("IPC namespace");
    if (server_needs(shared_memory)) {
      means.missing.emplace_back("private /dev/shm (the sandbox is below it)");
    } else {
      means.in_force.emplace_back("private /dev/shm");
    }
    means.in_force.emplace_back("mount namespace without the repository and its configuration");
    for (const auto& path : spec().readable) {
      if (server_needs(path)) {
        means.missing.push_back("hidden repository (the sandbox is below " + path.string() + ")");
      }
    }
  }
  if (available_.means.processes) means.in_force.emplace_back("PID namespace");
  if (WriteConfinement::available()) {
    means.in_force.emplace_back("Landlock (writes only in the sandbox)");
  } else {
    means.missing.emplace_back("Landlock (not in this kernel, or disabled)");
  }
  return means;
}

std::vector<std::string> LocalSandbox::fetch_command(std::vector<std::string> archive_get,
                                                     const std::filesystem::path& data) {
  if (!relay_) {
    relay_ = std::make_unique<WalRelay>(
        directory().account(), paths().configuration,
        [this](const Command& command, const std::stop_token& stop) { return run(command, stop); });
  }
  return relay_->client_of({.archive_get = std::move(archive_get), .data = data});
}

// In a pod or a service with a memory limit the kernel may kill the server only, which looks like a
// bad backup.
void LocalSandbox::require_sound(std::stop_token /*stop*/) {
  if (memory_kills() <= memory_kills_before_) return;
  throw Error(ErrorKind::environment,
              "the kernel killed a process of the drill: out of memory in its control group",
              "raise the memory limit; the limit of a pod is sandbox.memory",
              FindingCode::env_memory, paths().root.string());
}

}  // namespace pgrehearse
