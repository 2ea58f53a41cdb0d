// What a repository could recover, as a report stores it: taken from a recovery map.
#pragma once

#include <vector>

#include "harness/map/recovery_map.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

std::vector<ArchivedBackup> archived_backups(const MapArchive& archive);
// The recoverable, lost and missing ranges of one branch.
std::vector<ArchiveRange> archive_ranges(const MapBranch& branch, std::uint64_t segment_size);

// The branch that recovery follows by default, or the one with the timeline `wanted`.
ArchiveRecord archive_record(const MapArchive& archive, std::optional<Timeline> wanted = {});

}  // namespace pgrehearse
