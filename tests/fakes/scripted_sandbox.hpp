// A Sandbox whose commands are answered by a script and whose files are in memory. Safe to use from
// several threads.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "harness/sandbox/sandbox.hpp"
#include "tests/fakes/scripted_command_runner.hpp"

namespace pgrehearse {

class ScriptedSandbox : public Sandbox {
 public:
  // `runner` answers and outlives the sandbox.
  explicit ScriptedSandbox(CommandRunner& runner, const std::filesystem::path& root = "/sandbox",
                           SandboxSpec spec = {})
      : runner_(runner),
        spec_(std::move(spec)),
        paths_{.root = root,
               .data = root / "data",
               .tablespaces = root / "tablespaces",
               .sockets = root / "sockets",
               .logs = root / "logs",
               .configuration = root / "configuration",
               .wal = root / "wal",
               .pgbackrest = root / "pgbackrest",
               .temporary = root / "tmp"} {}

  CommandResult run(const Command& command, std::stop_token stop) override {
    return runner_.run(command, std::move(stop));
  }
  [[nodiscard]] const SandboxPaths& paths() const override { return paths_; }
  [[nodiscard]] const SandboxSpec& spec() const override { return spec_; }
  [[nodiscard]] ConnectionParameters server() const override {
    return {{"host", paths_.sockets.string()}, {"port", "5432"}, {"user", spec_.superuser}};
  }
  [[nodiscard]] std::string program(std::string_view name) const override {
    return "/usr/lib/postgresql/15/bin/" + std::string(name);
  }
  [[nodiscard]] Bytes memory() const override { return {std::uint64_t{2} << 30U}; }
  [[nodiscard]] int cpus() const override { return 2; }
  [[nodiscard]] Bytes free_space() const override { return {std::uint64_t{100} << 30U}; }
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const override {
    const std::lock_guard lock(mutex_);
    const auto file = files_.find(path);
    return {file != files_.end() ? file->second.size() : 0};
  }
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset) const override {
    const std::lock_guard lock(mutex_);
    const auto file = files_.find(path);
    if (file == files_.end() || offset > file->second.size()) return {};
    return file->second.substr(offset);
  }
  void write_file(const std::filesystem::path& path, std::string_view content, int) override {
    const std::lock_guard lock(mutex_);
    files_[path] = content;
  }
  void require_sound(std::stop_token) override {}
  void collect_logs(const std::filesystem::path&) override {}
  Removal destroy() override { return {}; }
  void keep() override {}

  // An empty file counts.
  [[nodiscard]] bool has_file(const std::filesystem::path& path) const {
    const std::lock_guard lock(mutex_);
    return files_.contains(path);
  }

 private:
  CommandRunner& runner_;
  SandboxSpec spec_;
  SandboxPaths paths_;
  mutable std::mutex mutex_;
  std::map<std::filesystem::path, std::string> files_;
};

}  // namespace pgrehearse
