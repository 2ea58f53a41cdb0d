// Copies a base backup into a sandbox, with its tablespaces, and verifies it there.
#pragma once

#include <functional>
#include <stop_token>

#include "harness/repository/basebackup/base_backups.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct BaseBackupRestore {
  const Backup& backup;
  const BaseBackupPlace& place;
  Sandbox& sandbox;
  std::function<void(const RestoreProgress&)> on_progress;  // may be empty
};

// Into the sandbox's empty data directory. Throws Error(restore) naming the damaged file,
// Error(environment) and Error(interrupted).
void restore_base_backup(const BaseBackupRestore& restore, const std::stop_token& stop);

struct RestoredFiles {
  Sandbox& sandbox;
  const Backup& backup;
  std::string manifest = "backup_manifest";  // its name in the data directory
  std::vector<std::string> ignored = {};     // files that the restore changed or added
};
// By pg_verifybackup inside the sandbox; logs a warning without a manifest or the binary. Throws
// Error(restore, repo_damaged) naming the file.
void verify_restored_files(const RestoredFiles& files, const std::stop_token& stop);

// Writes the file that makes PostgreSQL recover the restored cluster to `target`.
void write_recovery_signal(Sandbox& sandbox, const RecoveryTarget& target);

}  // namespace pgrehearse
