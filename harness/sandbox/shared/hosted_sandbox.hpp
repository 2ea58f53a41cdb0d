// What local, container and virtual machine sandboxes have in common: a directory and a registry
// entry on this host.
#pragma once

#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// File access goes to the directory on this host. A subclass whose files are elsewhere overrides
// it, and calls destroy_unless_kept() in its destructor.
class HostedSandbox : public Sandbox {
 public:
  HostedSandbox(const HostedSandbox&) = delete;
  HostedSandbox& operator=(const HostedSandbox&) = delete;

  [[nodiscard]] const SandboxPaths& paths() const override { return directory_.paths(); }
  [[nodiscard]] const SandboxSpec& spec() const override { return spec_; }
  [[nodiscard]] ConnectionParameters server() const override;
  [[nodiscard]] std::string program(std::string_view name) const override;
  [[nodiscard]] Bytes memory() const override { return memory_for(spec_); }
  [[nodiscard]] int cpus() const override { return cpus_for(spec_); }
  [[nodiscard]] Bytes free_space() const override { return directory_.free_space(); }
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const override;
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset = 0) const override;
  void stream_file(const std::filesystem::path& path,
                   const std::function<void(std::string_view)>& take) const override;
  void write_file(const std::filesystem::path& path, std::string_view content,
                  int mode = 0600) override;
  void collect_logs(const std::filesystem::path& into) override { directory_.collect_logs(into); }
  // Calls remove_everything(), and removes the registry entry once nothing remains.
  Removal destroy() final;
  void keep() override { directory_.keep(); }

 protected:
  HostedSandbox(SandboxSpec spec, HostDirectory directory)
      : spec_(std::move(spec)), directory_(std::move(directory)) {}

  // For destructors: leaves the registry entry if something cannot be removed.
  void destroy_unless_kept() noexcept;
  // Processes, shared memory and files of this host. Never throws for what cannot be removed.
  virtual Removal remove_everything();

  [[nodiscard]] const HostDirectory& directory() const { return directory_; }
  void set_binaries(std::filesystem::path binaries) { spec_.binaries = std::move(binaries); }

 private:
  SandboxSpec spec_;
  HostDirectory directory_;
  Removal removal_;
  bool destroyed_ = false;
};

}  // namespace pgrehearse
