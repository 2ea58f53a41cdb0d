// Makes sandboxes on this host and finds what killed drills left of theirs, laboratories included.
#pragma once

#include <filesystem>

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class LocalProvisioner : public Provisioner {
 public:
  // `runner` outlives the provisioner and its sandboxes. Makes this process the reaper of its
  // descendants (PR_SET_CHILD_SUBREAPER): a server that pg_ctl starts would otherwise stay a zombie
  // where process 1 does not reap.
  LocalProvisioner(CommandRunner& runner, const std::filesystem::path& state);

  // Where PostgreSQL's programs are.
  std::string probe(const SandboxSpec& spec, std::stop_token stop) override;
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) override;
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  CommandRunner& runner_;
  Registry registry_;
};

}  // namespace pgrehearse
