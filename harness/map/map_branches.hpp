// The losses on each branch of a recovery map, and the part of each branch that is its own.
#pragma once

#include <vector>

#include "harness/map/recovery_map.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The first time target for a backup: backups are selected by whole seconds, strictly before.
Instant first_target_after(Instant stop);

// A loss does not end before it begins: commit times are not strictly in WAL order, and bounds are
// rounded. Times that contradict its begin become bounds.
void order_times(MapLoss& loss);

// Where the backup's WAL begins, and where it is consistent.
Lsn start_lsn_of(const Backup& backup, std::uint64_t segment_size);
Lsn end_lsn_of(const Backup& backup, std::uint64_t segment_size);

// Fills in `losses` from the branch's windows, gaps and problems; `backups`: its own, oldest first.
void find_losses(MapBranch& branch, const std::vector<const MappedBackup*>& backups,
                 const ArchiveListing& archive);

// Reduces each branch other than that of `latest`, which comes first, to the part after its fork;
// removes branches without such a part.
void clip_to_latest(MapArchive& map, const ArchiveListing& archive);

}  // namespace pgrehearse
