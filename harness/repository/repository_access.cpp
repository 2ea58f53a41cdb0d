#include <utility>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

SandboxSpec with_access(SandboxSpec spec, RepositoryAccess access) {
  spec.readable = std::move(access.paths);
  spec.remote = std::move(access.remote);
  spec.endpoints = std::move(access.endpoints);
  spec.obstacle = std::move(access.obstacle);
  return spec;
}

}  // namespace pgrehearse
