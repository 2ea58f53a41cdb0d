// What each branch of a recovery map lacks, and where a branch that was left begins to be its own.
#pragma once

#include <vector>

#include "harness/map/recovery_map.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The first instant that a set can be recovered to: pgBackRest chooses by whole seconds, strictly.
Instant first_target_after(Instant stop);

// Where the set's WAL begins, and where it is consistent.
Lsn start_lsn_of(const Backup& backup, std::uint64_t segment_size);
Lsn end_lsn_of(const Backup& backup, std::uint64_t segment_size);

// Fills in `losses` from the branch's stretches, gaps and problems; `sets`: those on it, oldest
// first.
void find_losses(MapBranch& branch, const std::vector<const MappedSet*>& sets,
                 const ArchiveListing& archive);

// Leaves of each branch that was left what lies behind its fork, and removes those with nothing.
// The branch of `latest` comes first.
void clip_to_latest(MapArchive& map, const ArchiveListing& archive);

}  // namespace pgrehearse
