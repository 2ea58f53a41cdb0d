// A sandbox that is only a temporary directory: files are real, commands run on this host, and
// there is no instance.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "harness/process/boost_command_runner.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class DirectorySandbox : public Sandbox {
 public:
  DirectorySandbox() {
    std::string name = std::filesystem::temp_directory_path() / "pgr-sandbox-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    const std::filesystem::path root = name;
    paths_ = {.root = root,
              .data = root / "data",
              .tablespaces = root / "tablespaces",
              .sockets = root / "sockets",
              .logs = root / "logs",
              .configuration = root / "configuration",
              .wal = root / "wal",
              .pgbackrest = root / "pgbackrest",
              .temporary = root / "temporary"};
    for (const auto& path :
         {paths_.data, paths_.tablespaces, paths_.sockets, paths_.logs, paths_.configuration,
          paths_.wal, paths_.pgbackrest, paths_.temporary}) {
      std::filesystem::create_directory(path);
    }
  }
  ~DirectorySandbox() override { remove_everything(); }
  DirectorySandbox(const DirectorySandbox&) = delete;
  DirectorySandbox& operator=(const DirectorySandbox&) = delete;

  CommandResult run(const Command& command, std::stop_token stop) override {
    return runner_.run(command, stop);
  }
  [[nodiscard]] const SandboxPaths& paths() const override { return paths_; }
  [[nodiscard]] const SandboxSpec& spec() const override { return spec_; }
  [[nodiscard]] ConnectionParameters server() const override { return {}; }
  [[nodiscard]] std::string program(std::string_view name) const override {
    return std::string(name);
  }
  [[nodiscard]] Bytes memory() const override { return {std::uint64_t{1} << 30}; }
  [[nodiscard]] int cpus() const override { return 1; }
  [[nodiscard]] Bytes free_space() const override { return {std::uint64_t{1} << 40}; }
  [[nodiscard]] Bytes size_of(const std::filesystem::path&) const override { return {}; }
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset = 0) const override {
    std::ifstream stream(path, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write_file(const std::filesystem::path& path, std::string_view content,
                  int /*mode*/ = 0600) override {
    std::ofstream(path, std::ios::binary) << content;
  }
  void require_sound(std::stop_token) override {}
  void collect_logs(const std::filesystem::path&) override {}
  Removal destroy() override {
    remove_everything();
    return {};
  }
  void keep() override {}

 private:
  void remove_everything() const {
    std::error_code ignored;
    std::filesystem::remove_all(paths_.root, ignored);
  }

  BoostCommandRunner runner_;
  SandboxPaths paths_;
  SandboxSpec spec_;
};

}  // namespace pgrehearse
