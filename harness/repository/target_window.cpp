#include "harness/repository/target_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// Between this host's clock and the one of the target's author.
constexpr std::chrono::minutes clock_difference{1};

std::set<Timeline> archived_timelines(const ArchiveListing& archive) {
  std::set<Timeline> timelines;
  for (const auto& file : archive.segments) timelines.insert(file.segment.timeline);
  for (const auto& [timeline, history] : archive.histories) timelines.insert(timeline);
  return timelines;
}

void require_timeline(const RecoveryTarget& target, const ArchiveListing& archive,
                      const WalLineage& lineage) {
  for (const auto& problem : lineage.problems) {
    if (problem.kind != LineageProblemKind::unknown_timeline) continue;
    std::vector<std::string> known;
    for (const auto timeline : archived_timelines(archive)) {
      known.push_back(std::to_string(timeline));
    }
    // If its WAL is archived, the history file was lost.
    if (std::ranges::find(known, target.timeline) != known.end()) continue;
    throw Error(ErrorKind::usage,
                fmt::format("timeline {} is not in the WAL archive", target.timeline),
                fmt::format("timelines in the archive: {}; set recover_to.timeline to one of them",
                            join(known, ", ")),
                FindingCode::timeline_missing, problem.object);
  }
}

}  // namespace

void require_possible_target(const RecoveryTarget& target, const ArchiveListing& archive,
                             const WalLineage& lineage, Instant now) {
  require_timeline(target, archive, lineage);
  if (target.type == TargetType::time && target.time && *target.time > now + clock_difference) {
    throw Error(ErrorKind::usage,
                fmt::format("the recovery target {} is in the future", to_text(target)),
                "choose a time in the past, and check its time zone",
                FindingCode::target_not_reached, to_text(target));
  }
  if (target.type == TargetType::lsn && target.lsn && *target.lsn > lineage.archive_end &&
      lineage.continuous()) {
    throw Error(ErrorKind::usage,
                fmt::format("the recovery target {} is after {}, the end of the WAL archive",
                            to_text(target), to_text(lineage.archive_end)),
                "choose a target inside the recoverable window (`pgrehearse map`)",
                FindingCode::target_not_reached, to_text(target));
  }
}

}  // namespace pgrehearse
