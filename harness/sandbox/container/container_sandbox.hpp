// A sandbox whose commands run in a container. Its directories are on this host and are mounted at
// the same path inside: libpq connects through the socket, and logs are files of this host.
#pragma once

#include <memory>
#include <string>

#include "harness/agent/client/agent_command_runner.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/sandbox/container/container_engine.hpp"
#include "harness/sandbox/container/repository_relay.hpp"
#include "harness/sandbox/shared/hosted_sandbox.hpp"
#include "harness/sandbox/shared/wal_relay.hpp"

namespace pgrehearse {

class ContainerSandbox final : public HostedSandbox {
 public:
  struct Identity {
    std::string owner;         // value of label_owner
    CommandObserver observer;  // sees every command; may be empty
  };
  // `host` runs the backup tool where the container cannot reach the repository.
  ContainerSandbox(ContainerEngine engine, CommandRunner& host, SandboxSpec spec,
                   HostDirectory directory, Identity identity);
  ~ContainerSandbox() override { destroy_unless_kept(); }

  // Creates the directories and the container, starts it, and finds the PostgreSQL binaries in it.
  // Throws Error(environment); the destructor removes what was created.
  void make(const ImageFacts& image, const std::stop_token& stop);

  CommandResult run(const Command& command, std::stop_token stop) override;
  CommandResult run_backup_tool(const Command& command, std::stop_token stop) override;
  std::vector<std::string> fetch_command(std::vector<std::string> archive_get,
                                         const std::filesystem::path& data) override;
  [[nodiscard]] IsolationMeans isolation() const override {
    return {.in_force = {"container, with capabilities dropped and a network of its own"},
            .missing = {}};
  }
  void require_sound(std::stop_token stop) override;

 protected:
  Removal remove_everything() override;

 private:
  void find_binaries(const std::stop_token& stop);
  void start(const std::stop_token& stop);
  // Throws Error(environment) if the container is not running any more.
  void require_running(const std::stop_token& stop) const;
  [[noreturn]] void throw_out_of_memory() const;
  void open_egress(const std::stop_token& stop);

  ContainerEngine engine_;
  CommandRunner& host_;
  Identity identity_;
  std::string container_;
  AgentCommandRunner inside_;
  std::unique_ptr<RepositoryRelay> relay_;
  std::unique_ptr<WalRelay> wal_relay_;
};

// Removes the container of the entry, if it exists, and processes and files of this host. Never
// throws for what cannot be removed: that is in `remaining`.
Removal remove_container_sandbox(const ContainerEngine& engine, const RegistryEntry& entry,
                                 const std::string& owner);

}  // namespace pgrehearse
