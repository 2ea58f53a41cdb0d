#include <utility>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

SandboxSpec with_access(SandboxSpec spec, RepositoryAccess access) {
  spec.readable = std::move(access.paths);
  if (!access.remote.empty()) {
    spec.network_requirement = NetworkRequirement{.reason = std::move(access.remote),
                                                  .endpoints = std::move(access.endpoints),
                                                  .unsupported = std::move(access.obstacle)};
  }
  return spec;
}

}  // namespace pgrehearse
