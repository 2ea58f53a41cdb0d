// WAL that the primary's archiver reports as archived and that the repository does not have:
// archive_command returned success without storing it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "harness/primary/archiver_status.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// The segments that are missing from `archive` up to the last one that is reported; nullopt:
// none, or the last one is older than the backup, so that it may have expired.
std::optional<WalRange> unstored_wal(const ArchiverStatus& status, const ArchiveListing& archive,
                                     const Backup& backup);

// The same. Lists the archive again before it reports anything: `archive` may be older than the
// status.
std::optional<WalRange> find_unstored_wal(const ArchiverStatus& status,
                                          const ArchiveListing& archive, const Backup& backup,
                                          BackupRepository& repository,
                                          const std::stop_token& stop);

// Why the WAL up to `lsn` will not be archived: `primary` reports that it is already. nullopt also
// where the primary cannot be asked. Lists the archive again.
std::optional<std::string> unstored_reason(const Primary& primary, Lsn lsn,
                                           const ArchiveListing& archive, const Backup& backup,
                                           BackupRepository& repository,
                                           const std::stop_token& stop);

}  // namespace pgrehearse
