// What every BackupRepository promises (harness/repository/backup_repository.hpp): called for
// pgBackRest's repositories here, for the other tools in tests/stores, and for the fake by its unit
// test.
#pragma once

#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// Fetches `file` to where PostgreSQL expects it; needs a pg_wal directory in the sandbox's PGDATA.
CommandResult fetch_to_pg_wal(BackupRepository& repository, Sandbox& sandbox, const Backup& backup,
                              const std::string& file);

// Of a repository with backups of these types, in this order; a backup that is not full depends on
// the one before.
void expect_lists_backups_oldest_first(BackupRepository& repository,
                                       const std::vector<BackupType>& types = {
                                           BackupType::full, BackupType::differential,
                                           BackupType::incremental});
// Of an archive with timelines 1 and 2, the second forked off after the newest backup.
void expect_lists_the_archive(BackupRepository& repository);
// Restores the newest backup into an empty sandbox and fetches WAL there.
void expect_restores_and_fetches_wal(BackupRepository& repository, Sandbox& sandbox);
// What pgBackRest writes into the restored cluster; other tools write nothing.
void expect_archiving_is_off(Sandbox& sandbox);
// With an archive that cannot be read; the backup has been restored into the sandbox.
void expect_failure_is_not_the_end_of_the_archive(BackupRepository& repository,
                                                  const Backup& backup, Sandbox& sandbox);
// With `file` ("base/5/16385") damaged in `backup`.
// Returns what the restore throws.
Error expect_names_the_damaged_file(BackupRepository& repository, const Backup& backup,
                                    Sandbox& sandbox, const std::string& file);
// A stop request ends whatever takes long.
void expect_interruptible(BackupRepository& repository, Sandbox& sandbox);

}  // namespace pgrehearse
