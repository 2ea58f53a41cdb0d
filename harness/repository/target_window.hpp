// Recovery targets that a repository cannot contain: the scenario is wrong, not the backup.
#pragma once

#include "harness/common/units.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// Throws Error(usage) for a timeline that the archive does not have, an LSN after the end of a
// complete archive, and a time in the future. choose_backup() refuses targets before the first
// backup. An xid or a name is found only by recovery.
void require_possible_target(const RecoveryTarget& target, const ArchiveListing& archive,
                             const WalLineage& lineage, Instant now);

}  // namespace pgrehearse
