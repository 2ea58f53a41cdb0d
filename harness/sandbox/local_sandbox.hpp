// A sandbox that is a directory and processes of this host.
#pragma once

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class LocalSandbox : public Sandbox {
 public:
  // Takes over what `entry` names. `spec.binaries` is the directory of PostgreSQL's programs.
  LocalSandbox(CommandRunner& runner, SandboxSpec spec, Account account, OwnedEntry owned,
               RegistryEntry entry);
  LocalSandbox(const LocalSandbox&) = delete;
  LocalSandbox& operator=(const LocalSandbox&) = delete;
  ~LocalSandbox() override;

  // Adds to the Sandbox's promise: writes are confined to the root, the socket directory and
  // shared memory, whatever the command asks for.
  CommandResult run(const Command& command, std::stop_token stop) override;

  [[nodiscard]] const SandboxPaths& paths() const override { return paths_; }
  [[nodiscard]] const SandboxSpec& spec() const override { return spec_; }
  [[nodiscard]] ConnectionParameters server() const override;
  [[nodiscard]] std::string program(std::string_view name) const override;
  [[nodiscard]] Bytes memory() const override;
  [[nodiscard]] int cpus() const override;
  [[nodiscard]] Bytes free_space() const override;
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const override;
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset = 0) const override;
  void write_file(const std::filesystem::path& path, std::string_view content,
                  int mode = 0600) override;
  void collect_logs(const std::filesystem::path& into) override;
  Removal destroy() override;
  void keep() override;

  // Where the directories of a sandbox lie below its root.
  static SandboxPaths layout(const RegistryEntry& entry);

 private:
  CommandRunner& runner_;
  SandboxSpec spec_;
  Account account_;
  OwnedEntry owned_;
  RegistryEntry entry_;
  SandboxPaths paths_;
  Removal removal_;
  bool destroyed_ = false;
};

}  // namespace pgrehearse
