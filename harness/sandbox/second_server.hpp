// Another server in an existing sandbox: with its own data directory and port, so that Instance and
// InstanceSessions work with it as with the restored one.
#pragma once

#include <string>
#include <utility>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class SecondServer final : public Sandbox {
 public:
  // `sandbox` outlives this object, which owns nothing in it.
  SecondServer(Sandbox& sandbox, SandboxPaths paths, int port)
      : sandbox_(sandbox), paths_(std::move(paths)), port_(port) {}

  CommandResult run(const Command& command, std::stop_token stop) override {
    return sandbox_.run(command, std::move(stop));
  }
  CommandResult run_backup_tool(const Command& command, std::stop_token stop) override {
    return sandbox_.run_backup_tool(command, std::move(stop));
  }
  [[nodiscard]] const SandboxPaths& paths() const override { return paths_; }
  [[nodiscard]] const SandboxSpec& spec() const override { return sandbox_.spec(); }
  [[nodiscard]] ConnectionParameters server() const override {
    auto parameters = sandbox_.server();
    parameters["port"] = std::to_string(port_);
    return parameters;
  }
  [[nodiscard]] std::string program(std::string_view name) const override {
    return sandbox_.program(name);
  }
  [[nodiscard]] Bytes memory() const override { return sandbox_.memory(); }
  [[nodiscard]] int cpus() const override { return sandbox_.cpus(); }
  [[nodiscard]] Bytes free_space() const override { return sandbox_.free_space(); }
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const override {
    return sandbox_.size_of(path);
  }
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset) const override {
    return sandbox_.read_file(path, offset);
  }
  void write_file(const std::filesystem::path& path, std::string_view content, int mode) override {
    sandbox_.write_file(path, content, mode);
  }
  [[nodiscard]] IsolationMeans isolation() const override { return sandbox_.isolation(); }
  std::vector<std::string> fetch_command(std::vector<std::string> archive_get,
                                         const std::filesystem::path& data) override {
    return sandbox_.fetch_command(std::move(archive_get), data);
  }
  void require_sound(std::stop_token stop) override { sandbox_.require_sound(std::move(stop)); }
  // What belongs to the sandbox is collected, removed and kept with it.
  void collect_logs(const std::filesystem::path& /*into*/) override {}
  Removal destroy() override { return {}; }
  void keep() override {}

 private:
  Sandbox& sandbox_;
  SandboxPaths paths_;
  int port_;
};

}  // namespace pgrehearse
