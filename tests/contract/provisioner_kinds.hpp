// Every kind of sandbox that the provisioner's contract is run against.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct ProvisionerKind {
  std::string name;
  // Why it is not to be had: for want of a package, or whatever is installed. Empty when it is.
  std::string (*missing)() = nullptr;
  std::string (*impossible)() = nullptr;
  std::unique_ptr<Provisioner> (*make)(CommandRunner& runner,
                                       const std::filesystem::path& state) = nullptr;
  // Whether the server's System V shared memory is this host's.
  bool shares_memory = true;
  // How a removal reports a process that only the label identifies.
  std::string removed_process;
  int attempts_to_kill = 40;
  // A file below the root that is there as long as the sandbox is.
  std::string lasting_file = "data/PG_VERSION";
  // Directory of its image, for a kind that has no other way to find one.
  std::string (*image)() = nullptr;
};

std::vector<ProvisionerKind> provisioner_kinds();
// Those that run in a container.
std::vector<ProvisionerKind> container_kinds();

}  // namespace pgrehearse
