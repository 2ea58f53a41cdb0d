// A sandbox that is a directory and processes of this host.
#pragma once

#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class LocalSandbox : public Sandbox {
 public:
  // `spec.binaries` is the directory of PostgreSQL's programs.
  LocalSandbox(CommandRunner& runner, SandboxSpec spec, HostDirectory place);
  LocalSandbox(const LocalSandbox&) = delete;
  LocalSandbox& operator=(const LocalSandbox&) = delete;
  ~LocalSandbox() override;

  // Adds to the Sandbox's promise: writes are confined to the root, the socket directory and
  // shared memory, whatever the command asks for.
  CommandResult run(const Command& command, std::stop_token stop) override;

  [[nodiscard]] const HostDirectory& place() const { return place_; }
  [[nodiscard]] const SandboxPaths& paths() const override { return place_.paths(); }
  [[nodiscard]] const SandboxSpec& spec() const override { return spec_; }
  [[nodiscard]] ConnectionParameters server() const override;
  [[nodiscard]] std::string program(std::string_view name) const override;
  [[nodiscard]] Bytes memory() const override { return memory_for(spec_); }
  [[nodiscard]] int cpus() const override { return cpus_for(spec_); }
  [[nodiscard]] Bytes free_space() const override { return place_.free_space(); }
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const override {
    return place_.size_of(path);
  }
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset = 0) const override {
    return place_.read_file(path, offset);
  }
  void write_file(const std::filesystem::path& path, std::string_view content,
                  int mode = 0600) override {
    place_.write_file(path, content, mode);
  }
  void require_sound(std::stop_token stop) override;
  void collect_logs(const std::filesystem::path& into) override { place_.collect_logs(into); }
  Removal destroy() override;
  void keep() override { place_.keep(); }

 private:
  CommandRunner& runner_;
  SandboxSpec spec_;
  HostDirectory place_;
  std::uint64_t memory_kills_before_;
  Removal removal_;
  bool destroyed_ = false;
};

}  // namespace pgrehearse
