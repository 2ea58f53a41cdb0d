// Which WAL a recovery needs and whether the archive has it, segment by segment, over timeline
// switches, by PostgreSQL's own rules (timeline.c, XLogFileReadAnyTLI). Pure: it judges a listing
// and touches nothing. What a finding says about it belongs in checks/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

struct LineageRequest {
  WalSegment start;                 // the first segment that the backup needs
  std::optional<WalSegment> stop;   // the last one that its consistency needs
  std::optional<Lsn> stop_lsn;      // a timeline that forks off before it cannot use the backup
  std::string timeline = "latest";  // "latest", "current" or a number
  bool encrypted = false;           // encrypted files are a little larger than a segment
};

// For a backup and the timeline of a recovery target. Throws Error(repository, PGR-WAL-MISSING)
// when the backup names no start segment of that size.
LineageRequest lineage_request(const Backup& backup, const std::string& timeline,
                               std::uint64_t segment_size);

// Consecutive segments of one timeline, both ends included.
struct WalRange {
  Timeline timeline = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  auto operator<=>(const WalRange&) const = default;
  [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
  [[nodiscard]] WalSegment first_segment() const { return {timeline, first}; }
  [[nodiscard]] WalSegment last_segment() const { return {timeline, last}; }
};

enum class LineageProblemKind {
  missing_history,   // a timeline is archived whose history file is not: "latest" will not find it
  unknown_timeline,  // the timeline asked for has no history file: PostgreSQL refuses to start
  not_a_child,       // it forked off before the backup ended, or never held it
  abandoned_branch,  // the parent goes on behind the fork; replay follows the child
  empty_timeline,    // it has a history file and not one segment yet
  duplicate,         // a needed segment is archived more than once with different content
  wrong_size,        // a needed segment is empty, or uncompressed and not one segment long
  damaged,           // a needed segment was read and found damaged
};

struct LineageProblem {
  LineageProblemKind kind = LineageProblemKind::duplicate;
  std::string object;   // history file, segment or repository file
  std::string message;  // one clause, lower case
  bool blocks = false;  // recovery on this timeline cannot go past it, or cannot begin
};

struct WalLineage {
  std::uint64_t segment_size = 0;
  Timeline timeline =
      0;  // where the path ends; the backup's own when the one asked for is unusable
  std::vector<TimelineSwitch> switches;  // on the way from the backup's timeline, oldest first
  std::vector<WalRange> required;        // in replay order
  std::vector<WalRange> gaps;            // the missing part of it, in replay order
  std::vector<LineageProblem> problems;
  std::uint64_t required_count = 0;
  std::uint64_t missing_count = 0;
  std::uint64_t before_first_gap = 0;  // needed segments that are there before the first gap ...
  std::uint64_t after_first_gap = 0;   // ... and behind it, of no use
  Bytes required_bytes;                // of the needed files in the repository
  bool backup_complete = false;        // the backup's own segments, start to stop, are all there
  // The last segment that replay can read; nullopt when not even the first one can be had.
  std::optional<WalSegment> last_reachable;
  // Replay ends before this: the end of `last_reachable` or the switch in it, or the backup's
  // start.
  Lsn reachable_end;
  Lsn archive_end;  // the end of the newest needed segment, gaps or not

  [[nodiscard]] bool continuous() const;  // no gap and no problem that blocks
};

// The archive's whole segments by name: made once where many lineages are traced in one archive.
struct ArchiveIndex {
  // `archive` outlives the index.
  explicit ArchiveIndex(const ArchiveListing& archive);
  const ArchiveListing& archive;
  std::map<std::string, std::string> damage;  // by file: what reading it showed
  std::map<WalSegment, std::vector<const ArchivedSegment*>> files;
};

WalLineage trace_lineage(const ArchiveListing& archive, const LineageRequest& request);
WalLineage trace_lineage(const ArchiveIndex& index, const LineageRequest& request);

// Whether replay that ended at `replayed` read the newest segment that `archive_end` closes.
bool reaches_archive_end(Lsn replayed, Lsn archive_end, std::uint64_t segment_size);

}  // namespace pgrehearse
