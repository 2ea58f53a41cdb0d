#include "harness/drill/objectives/unstored_wal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgrehearse {

std::optional<WalRange> unstored_wal(const ArchiverStatus& status, const ArchiveListing& archive,
                                     const Backup& backup) {
  // A standby has its own archiver, and its statistics may be from before a failover.
  if (status.in_recovery || archive.segment_size == 0) return {};
  // Names of history and backup files do not parse: they say nothing about segments.
  const auto last = parse_wal_segment(status.last_archived, archive.segment_size);
  const auto begin = parse_wal_segment(backup.start_segment, archive.segment_size);
  if (!last || (begin && last->number < begin->number)) return {};
  const auto stored = [&](std::uint64_t number) {
    return std::ranges::any_of(archive.segments, [&](const ArchivedSegment& file) {
      return file.segment == WalSegment{.timeline = last->timeline, .number = number};
    });
  };
  if (stored(last->number)) return {};
  // The names before it are missing back to the newest segment that is stored.
  std::uint64_t newest = begin ? begin->number : last->number;
  bool any = false;
  for (const auto& file : archive.segments) {
    if (file.segment.timeline > last->timeline || file.segment.number >= last->number) continue;
    newest = any ? std::max(newest, file.segment.number) : file.segment.number;
    any = true;
  }
  return WalRange{
      .timeline = last->timeline, .first = any ? newest + 1 : last->number, .last = last->number};
}

std::optional<WalRange> find_unstored_wal(const ArchiverStatus& status,
                                          const ArchiveListing& archive, const Backup& backup,
                                          BackupRepository& repository,
                                          const std::stop_token& stop) {
  if (!unstored_wal(status, archive, backup)) return {};
  return unstored_wal(status, repository.list_archive(backup, archive.segment_size, stop), backup);
}

std::optional<std::string> unstored_reason(const Primary& primary, Lsn lsn,
                                           const ArchiveListing& archive, const Backup& backup,
                                           BackupRepository& repository,
                                           const std::stop_token& stop) {
  try {
    const auto range =
        find_unstored_wal(read_archiver(primary, stop), archive, backup, repository, stop);
    if (!range) return {};
    const auto segment = segment_at(range->timeline, lsn, archive.segment_size);
    if (segment.number > range->last) return {};
    return fmt::format("the primary reports {} as archived, and the repository does not have it",
                       file_name(segment, archive.segment_size));
  } catch (const SqlError&) {
    return {};
  }
}

}  // namespace pgrehearse
