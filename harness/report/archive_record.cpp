#include "harness/report/archive_record.hpp"

#include <algorithm>

#include "harness/map/map_branches.hpp"

namespace pgrehearse {

namespace {

// The latest time at which its WAL can have been written.
std::optional<Instant> time_of(const MapPoint& point) {
  return point.time ? point.time : point.not_after ? point.not_after : point.not_before;
}

}  // namespace

std::vector<ArchivedBackup> archived_backups(const MapArchive& archive) {
  std::vector<ArchivedBackup> backups;
  for (const auto& mapped : archive.backups) {
    backups.push_back({.label = mapped.backup.label,
                       .type = std::string(name_of(mapped.backup.type)),
                       .start_time = mapped.backup.start_time,
                       .stop_time = mapped.backup.stop_time,
                       .stop_lsn = end_lsn_of(mapped.backup, archive.segment_size),
                       .usable = mapped.usable()});
  }
  return backups;
}

std::vector<ArchiveRange> archive_ranges(const MapBranch& branch, std::uint64_t segment_size) {
  std::vector<ArchiveRange> ranges;
  for (const auto& window : branch.windows) {
    ranges.push_back({.kind = "recoverable",
                      .begin = window.begin.lsn,
                      .end = window.end.lsn,
                      .begin_time = time_of(window.begin),
                      .end_time = time_of(window.end)});
  }
  for (const auto& loss : branch.losses) {
    ranges.push_back({.kind = "lost",
                      .begin = loss.begin.lsn,
                      .end = loss.end.lsn,
                      .begin_time = time_of(loss.begin),
                      .end_time = time_of(loss.end),
                      .reason = loss.reason});
  }
  for (const auto& gap : branch.gaps) {
    ranges.push_back({.kind = "missing",
                      .begin = start_of(gap.first_segment(), segment_size),
                      .end = Lsn{(gap.last + 1) * segment_size},
                      .reason = file_name(gap.first_segment(), segment_size) + " to " +
                                file_name(gap.last_segment(), segment_size)});
  }
  return ranges;
}

ArchiveRecord archive_record(const MapArchive& archive, std::optional<Timeline> wanted) {
  ArchiveRecord record{.listed_at = archive.listed_at, .backups = archived_backups(archive)};
  if (archive.branches.empty()) return record;
  const auto found = std::ranges::find_if(
      archive.branches, [&](const auto& branch) { return wanted && branch.timeline == *wanted; });
  const auto& branch = found == archive.branches.end() ? archive.branches.front() : *found;
  record.timeline = branch.timeline;
  record.ranges = archive_ranges(branch, archive.segment_size);
  return record;
}

}  // namespace pgrehearse
