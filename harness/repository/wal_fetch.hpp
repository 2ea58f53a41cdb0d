// Fetching one WAL file from the archive into a sandbox.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct WalFetchRequest {
  // All outlive the call.
  BackupRepository& repository;
  const Backup& backup;
  Sandbox& sandbox;
  const std::filesystem::path& data;  // by which the backup tool identifies the cluster
  WalFetch how = WalFetch::single;    // `ahead` only when segments are fetched in order
};

// Fetches segment `name` to `destination`. Exit code 0: fetched, 1: not in the archive, else: an
// error. Throws Error(interrupted).
CommandResult fetch_wal(const WalFetchRequest& request, const std::string& name,
                        const std::filesystem::path& destination, const std::stop_token& stop);

// The beginning of a failed command's error output, for messages.
std::string error_excerpt(const CommandResult& result);

}  // namespace pgrehearse
