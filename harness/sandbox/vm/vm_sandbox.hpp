// A sandbox whose commands run in a virtual machine. Its directories lie on the machine's own disk:
// files go in and out through the agent, and libpq comes in by a socket that is forwarded.
#pragma once

#include <string>

#include "harness/agent/client/agent_command_runner.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/sandbox/vm/vm_image.hpp"
#include "harness/sandbox/vm/vm_request.hpp"

namespace pgrehearse {

class VmSandbox : public Sandbox {
 public:
  // `host` runs QEMU; `observer` sees QEMU's and every command that runs inside, and may be empty.
  VmSandbox(CommandRunner& host, SandboxSpec spec, HostDirectory place, VmImage image,
            CommandObserver observer);
  VmSandbox(const VmSandbox&) = delete;
  VmSandbox& operator=(const VmSandbox&) = delete;
  ~VmSandbox() override;

  // Makes and boots the machine, and finds PostgreSQL's programs in it. Throws Error(environment);
  // what was made goes with this object.
  void make(const std::stop_token& stop);

  CommandResult run(const Command& command, std::stop_token stop) override;
  [[nodiscard]] const SandboxPaths& paths() const override { return place_.paths(); }
  [[nodiscard]] const SandboxSpec& spec() const override { return spec_; }
  [[nodiscard]] ConnectionParameters server() const override;
  [[nodiscard]] std::string program(std::string_view name) const override;
  [[nodiscard]] Bytes memory() const override { return memory_for(spec_); }
  [[nodiscard]] int cpus() const override { return cpus_for(spec_); }
  [[nodiscard]] Bytes free_space() const override;
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const override;
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset = 0) const override;
  void write_file(const std::filesystem::path& path, std::string_view content,
                  int mode = 0600) override;
  void require_sound(std::stop_token stop) override;
  void collect_logs(const std::filesystem::path& into) override;
  Removal destroy() override;
  void keep() override { place_.keep(); }

 private:
  // On this host, as the sandbox's account, labelled and confined to the sandbox.
  CommandResult run_outside(Command command, const std::stop_token& stop) const;
  // One of harness/agent/tools.hpp.
  [[nodiscard]] CommandResult run_tool(std::vector<std::string> words, std::string_view input = {},
                                       std::size_t keep_output = std::size_t{1} << 30U) const;
  void write_machine_files() const;
  void make_disk(const std::stop_token& stop) const;
  void boot(const std::stop_token& stop);
  void boot_with(VmAccelerator accelerator, std::chrono::milliseconds deadline,
                 const std::stop_token& stop);
  void find_programs(const std::stop_token& stop);
  void collect_files(const std::filesystem::path& from, const std::filesystem::path& into) const;
  [[nodiscard]] std::string console() const;

  CommandRunner& host_;
  SandboxSpec spec_;
  HostDirectory place_;
  VmImage image_;
  CommandObserver observer_;
  VmFiles files_;
  mutable AgentCommandRunner inside_;
  Removal removal_;
  bool destroyed_ = false;
};

}  // namespace pgrehearse
