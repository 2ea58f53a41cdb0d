// A sandbox whose commands run in a container. Its directories lie on this host and are seen inside
// at the same place, so that libpq comes in by the socket and logs go out as files.
#pragma once

#include <memory>
#include <string>

#include "harness/agent/client/agent_command_runner.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/sandbox/container/container_engine.hpp"
#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/repository_relay.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class ContainerSandbox : public Sandbox {
 public:
  struct Identity {
    std::string owner;         // as its label says
    CommandObserver observer;  // sees every command; may be empty
  };
  ContainerSandbox(ContainerEngine engine, SandboxSpec spec, HostDirectory place,
                   Identity identity);
  ContainerSandbox(const ContainerSandbox&) = delete;
  ContainerSandbox& operator=(const ContainerSandbox&) = delete;
  ~ContainerSandbox() override;

  // Makes the directories and the container, starts it, and finds PostgreSQL's programs in it.
  // Throws Error(environment); what was made goes with this object.
  void make(const ImageFacts& image, const std::stop_token& stop);

  CommandResult run(const Command& command, std::stop_token stop) override;
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
  void find_programs(const std::stop_token& stop);
  void start(const std::stop_token& stop);
  // Throws Error(environment) when the container is not running any more.
  void require_running(const std::stop_token& stop) const;
  [[noreturn]] void throw_out_of_memory() const;
  void open_way_out(const std::stop_token& stop);

  ContainerEngine engine_;
  SandboxSpec spec_;
  HostDirectory place_;
  Identity identity_;
  std::string container_;
  AgentCommandRunner inside_;
  std::unique_ptr<RepositoryRelay> relay_;
  Removal removal_;
  bool destroyed_ = false;
};

// Removes the container of the entry, if there is one, and what lies on this host. Never throws for
// what cannot be removed: that is in `remaining`.
Removal remove_container_sandbox(const ContainerEngine& engine, const RegistryEntry& entry,
                                 const std::string& owner);

}  // namespace pgrehearse
