// The backup tool identifies a cluster's archive by the pg_control of a data directory. This makes
// a data directory without content for a cluster that is not restored.
#pragma once

#include <filesystem>
#include <stop_token>

#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Makes `data` a data directory with the identity of the backup's cluster. Throws
// Error(environment).
void make_placeholder_cluster(Sandbox& sandbox, const Backup& backup,
                              const std::filesystem::path& data, const std::stop_token& stop);

}  // namespace pgrehearse
