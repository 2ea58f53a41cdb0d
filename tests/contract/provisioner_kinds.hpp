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
  // Why it cannot be had on this machine; empty when it can.
  std::string (*missing)() = nullptr;
  std::unique_ptr<Provisioner> (*make)(CommandRunner& runner,
                                       const std::filesystem::path& state) = nullptr;
};

std::vector<ProvisionerKind> provisioner_kinds();

}  // namespace pgrehearse
