// A recovery target that is chosen at random.
#pragma once

#include <cstdint>

#include "harness/common/units.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// An LSN that was written within `asked.within` before `now`. LSNs at the end of each backup are
// known with their times; between them WAL is assumed to grow steadily. `end` is where the archived
// WAL ends, `newest` the newest backup of the cluster; older backups of other clusters do not
// count. Throws Error(usage) if no backup ended before the end of the period.
RecoveryTarget random_target(const RecoveryTarget& asked, const BackupList& list,
                             const Backup& newest, Lsn end, Instant now, std::uint64_t seed);

}  // namespace pgrehearse
