// Creates sandboxes of directories and processes on this host, and removes leftovers of such
// sandboxes and of laboratories.
#pragma once

#include <filesystem>

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class LocalProvisioner : public Provisioner {
 public:
  // `runner` outlives the provisioner and its sandboxes. Makes this process the reaper of its
  // descendants (PR_SET_CHILD_SUBREAPER): a server started by pg_ctl would otherwise remain a
  // zombie if process 1 does not reap.
  LocalProvisioner(CommandRunner& runner, const std::filesystem::path& state);

  // The directory of the PostgreSQL binaries.
  std::string probe(const SandboxSpec& spec, std::stop_token stop) override;
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) override;
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  CommandRunner& runner_;
  Registry registry_;
};

}  // namespace pgrehearse
