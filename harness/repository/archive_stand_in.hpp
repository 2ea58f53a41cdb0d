// The backup tool finds a cluster's archive by the pg_control of a data directory: for a cluster
// that is not there, this makes one of no content.
#pragma once

#include <filesystem>
#include <stop_token>

#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// `data`: the directory that comes to name the cluster of `backup`. Throws
// Error(environment).
void make_archive_stand_in(Sandbox& sandbox, const Backup& backup,
                           const std::filesystem::path& data, const std::stop_token& stop);

}  // namespace pgrehearse
