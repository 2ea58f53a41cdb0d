// Reads a range of archived WAL once, with pg_waldump, several segments at a time and in parallel.
// The memory and the disk space in use do not depend on the length of the range.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/locate/wal_chunk.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct ScanRequest {
  // All outlive the scan. The sandbox has a data directory by which the backup tool identifies the
  // cluster (make_placeholder_cluster).
  Sandbox& sandbox;
  BackupRepository& repository;
  const Backup& backup;
  const WalLineage& lineage;
  Lsn begin;
  // Resource managers; pg_waldump filters by them from PostgreSQL 15 on.
  std::vector<std::string> managers;
  WalChunkReader::Watch watch = {};
  int workers = 1;
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress = {};
};

struct ScanOutcome {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t commits = 0;
  std::string end;  // why reading ended at the last segment, as pg_waldump says it; may be empty
  // The segments that are still in the sandbox's directory for WAL; empty after a long range, which
  // removes what it has read.
  std::vector<std::string> remaining;
};

// Calls `take` with each part, in WAL order, in the calling thread; `take` returns false to end the
// scan. Throws Error(repository) for a segment that cannot be read, except the last.
ScanOutcome scan_archive(const ScanRequest& request, const std::function<bool(WalChunk)>& take,
                         const std::stop_token& stop);

}  // namespace pgrehearse
