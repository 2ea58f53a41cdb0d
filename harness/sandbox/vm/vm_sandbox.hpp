// A sandbox whose commands run in a virtual machine. Its directories are on the machine's own disk:
// files are read and written through the agent, and libpq connects through a forwarded socket.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "harness/agent/client/agent_command_runner.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/sandbox/shared/hosted_sandbox.hpp"
#include "harness/sandbox/vm/vm_image.hpp"
#include "harness/sandbox/vm/vm_request.hpp"
#include "harness/sandbox/vm/vm_wal_relay.hpp"

namespace pgrehearse {

class VmSandbox final : public HostedSandbox {
 public:
  // `host` runs QEMU; `observer` is called for QEMU and for every command inside, and may be empty.
  VmSandbox(CommandRunner& host, SandboxSpec spec, HostDirectory directory, VmImage image,
            CommandObserver observer);
  ~VmSandbox() override { destroy_unless_kept(); }

  // Creates and boots the machine, and finds the PostgreSQL binaries in it. Throws
  // Error(environment); the destructor removes what was created.
  void make(const std::stop_token& stop);

  CommandResult run(const Command& command, std::stop_token stop) override;
  CommandResult run_backup_tool(const Command& command, std::stop_token stop) override;
  std::vector<std::string> fetch_command(std::vector<std::string> archive_get,
                                         const std::filesystem::path& data) override;
  [[nodiscard]] Bytes free_space() const override;
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const override;
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset = 0) const override;
  void stream_file(const std::filesystem::path& path,
                   const std::function<void(std::string_view)>& take) const override {
    Sandbox::stream_file(path, take);
  }
  void write_file(const std::filesystem::path& path, std::string_view content,
                  int mode = 0600) override;
  [[nodiscard]] IsolationMeans isolation() const override {
    return {.in_force = {"virtual machine without a network"}, .missing = {}};
  }
  void require_sound(std::stop_token stop) override;
  void collect_logs(const std::filesystem::path& into) override;

 private:
  Removal remove_everything() override;
  // On this host. archive-get reads the cluster's pg_control: a copy of the one inside.
  CommandResult run_with_control_file(const Command& command, const std::stop_token& stop);
  // Copies what the backup tool has written on this host into the machine.
  void bring_in(const std::stop_token& stop);
  // On this host, as the sandbox's account, labelled and confined to the sandbox.
  CommandResult run_outside(Command command, const std::stop_token& stop) const;
  // One of harness/agent/tools.hpp.
  [[nodiscard]] CommandResult run_tool(std::vector<std::string> words, std::string_view input = {},
                                       std::size_t keep_output = std::size_t{1} << 30U) const;
  void write_machine_files() const;
  void make_disk(const std::stop_token& stop) const;
  void boot(const std::stop_token& stop);
  void boot_with(VmAccelerator accelerator, std::chrono::milliseconds timeout,
                 const std::stop_token& stop);
  void find_binaries(const std::stop_token& stop);
  void collect_files(const std::filesystem::path& from, const std::filesystem::path& into) const;
  [[nodiscard]] std::string console() const;

  CommandRunner& host_;
  VmImage image_;
  CommandObserver observer_;
  VmFiles files_;
  mutable AgentCommandRunner inside_;
  std::mutex outside_;  // one command of the backup tool at a time
  std::unique_ptr<VmWalRelay> wal_relay_;
};

}  // namespace pgrehearse
