// A sandbox of a directory and processes of this host.
#pragma once

#include "harness/sandbox/shared/hosted_sandbox.hpp"

namespace pgrehearse {

class LocalSandbox final : public HostedSandbox {
 public:
  // `spec.binaries` is the directory of the PostgreSQL binaries.
  LocalSandbox(CommandRunner& runner, SandboxSpec spec, HostDirectory directory);
  ~LocalSandbox() override { destroy_unless_kept(); }

  // Creates the directories. Throws Error(environment); the destructor removes what was created.
  void make() { directory().make_directories(); }

  // Writes are confined to the root, the socket directory and shared memory, whatever the command
  // allows.
  CommandResult run(const Command& command, std::stop_token stop) override;
  void require_sound(std::stop_token stop) override;

 private:
  CommandRunner& runner_;
  std::uint64_t memory_kills_before_;
};

}  // namespace pgrehearse
