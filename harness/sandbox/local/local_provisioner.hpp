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
  // A sandbox that an earlier process kept; it stays kept when the result is destroyed. `spec`: the
  // PostgreSQL version, the binaries and the superuser. Throws Error(usage) if there is none of
  // this type.
  std::unique_ptr<Sandbox> open(const SandboxSpec& spec, const std::string& run_id);
  // A new sandbox with the files of `original`, whose server is paused in recovery: a server
  // started in the new one replays from the last restart point to the same position. Both share
  // their space. Throws Error(environment) if the file system cannot clone files (xfs and btrfs
  // can).
  std::unique_ptr<Sandbox> clone(const Sandbox& original, const std::string& run_id);
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  CommandRunner& runner_;
  Registry registry_;
};

}  // namespace pgrehearse
