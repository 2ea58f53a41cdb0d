// Reads commit records from the WAL archive, in a sandbox that may have no cluster yet.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/postgres/commit_records.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class ArchivedCommits {
 public:
  // All references outlive this object.
  ArchivedCommits(Sandbox& sandbox, BackupRepository& repository, const Backup& backup,
                  std::uint64_t segment_size);

  // The commits that begin in [begin, end), in WAL order; nullopt while WAL up to `end` is not
  // archived. Safe from several threads. Throws Error(environment) when the archive or the WAL
  // cannot be read.
  std::optional<std::vector<TransactionMark>> read(Timeline timeline, Lsn begin, Lsn end,
                                                   const std::stop_token& stop);

 private:
  void prepare(const std::stop_token& stop);
  bool fetch(WalSegment segment, const std::stop_token& stop);
  CommandResult run(std::string program, std::vector<std::string> arguments,
                    const std::stop_token& stop);

  Sandbox& sandbox_;
  BackupRepository& repository_;
  const Backup& backup_;
  std::uint64_t segment_size_;
  std::filesystem::path data_;  // placeholder data directory
  std::filesystem::path wal_;
  std::mutex mutex_;
  bool ready_ = false;
  std::set<std::string> fetched_;
};

}  // namespace pgrehearse
