// Creates sandboxes in virtual machines with QEMU. Leftovers are processes and files of this host,
// registered and removed like those of a local sandbox.
#pragma once

#include <filesystem>
#include <string>

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class VmProvisioner : public Provisioner {
 public:
  // `observer` is called with every command that ran in a machine.
  VmProvisioner(CommandRunner& host, const std::filesystem::path& state,
                CommandObserver observer = {});

  std::string probe(const SandboxSpec& spec, std::stop_token stop) override;
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) override;
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  CommandRunner& host_;
  std::filesystem::path state_;
  Registry registry_;
  CommandObserver observer_;
};

}  // namespace pgrehearse
