// Every kind of sandbox that the contract is run against.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct ProvisionerKind {
  std::string name;
  // Why it is not available: a package is missing, or this host cannot run it. Empty if available.
  std::string (*missing)() = nullptr;
  std::string (*impossible)() = nullptr;
  std::unique_ptr<Provisioner> (*make)(CommandRunner& runner,
                                       const std::filesystem::path& state) = nullptr;
  SandboxOptions (*options)() = nullptr;
  // Whether the server's System V shared memory is this host's.
  bool shares_memory = true;
  // How a removal reports a process that only the label identifies.
  std::string removed_process;
  int attempts_to_kill = 40;
  // How long an engine may still carry out the request of an owner that was killed.
  std::chrono::seconds longest_request{0};
  // A file below the root that is there as long as the sandbox is.
  std::string lasting_file = "data/PG_VERSION";

  // For GoogleTest, which would print the object's bytes.
  friend std::ostream& operator<<(std::ostream& out, const ProvisionerKind& kind) {
    return out << kind.name;
  }
};

// The real ones.
std::vector<ProvisionerKind> provisioner_kinds();
// With the fake of the unit tests, which runs no commands.
std::vector<ProvisionerKind> provisioner_kinds_and_fake();
// Those that run in a container.
std::vector<ProvisionerKind> container_kinds();

}  // namespace pgrehearse
