// A sandbox of a directory and processes of this host.
#pragma once

#include <atomic>
#include <memory>

#include "harness/process/isolation.hpp"
#include "harness/sandbox/shared/hosted_sandbox.hpp"
#include "harness/sandbox/shared/wal_relay.hpp"

namespace pgrehearse {

class LocalSandbox final : public HostedSandbox {
 public:
  // `spec.binaries` is the directory of the PostgreSQL binaries.
  LocalSandbox(CommandRunner& runner, SandboxSpec spec, HostDirectory directory);
  ~LocalSandbox() override;

  // Creates the directories. Throws Error(environment); the destructor removes what was created.
  void make() { directory().make_directories(); }

  // Writes are confined to the root, the socket directory and shared memory, whatever the command
  // allows. From an isolated command, the repository, its configuration, other processes and the
  // sockets of other servers are hidden.
  CommandResult run(const Command& command, std::stop_token stop) override;
  bool take_file(const Sandbox& other, const std::filesystem::path& file,
                 const std::filesystem::path& to) override;
  [[nodiscard]] IsolationMeans isolation() const override;
  std::vector<std::string> fetch_command(std::vector<std::string> archive_get,
                                         const std::filesystem::path& data) override;
  bool signal_server(int signal) override;
  void require_sound(std::stop_token stop) override;

 private:
  Removal remove_everything() override;
  // Whether the sandbox or the PostgreSQL binaries are below it.
  [[nodiscard]] bool server_needs(const std::filesystem::path& directory) const;
  // `requested` without what the host does not allow.
  [[nodiscard]] Isolation isolation_of_server(const Isolation& requested) const;

  CommandRunner& runner_;
  std::uint64_t memory_kills_before_;
  AvailableIsolation available_;
  std::atomic<pid_t> server_ = 0;  // process group; 0: not in a PID namespace of its own
  std::unique_ptr<WalRelay> relay_;
};

}  // namespace pgrehearse
