// The WAL that a recovery needs and whether the archive has it, segment by segment, across timeline
// switches, by PostgreSQL's own rules (timeline.c, XLogFileReadAnyTLI). Works on a listing, without
// I/O. Findings about it belong in checks/.
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
  WalSegment start;                 // the first segment the backup needs; unused if `offline`
  std::optional<WalSegment> stop;   // the last one needed for consistency
  std::optional<Lsn> stop_lsn;      // a timeline that branches off earlier cannot use the backup
  std::string timeline = "latest";  // "latest", "current" or a number
  bool encrypted = false;           // encrypted files are slightly larger than a segment
  // An offline backup needs no WAL, and does not say where it ends: the lineage begins after the
  // newest gap, and the landing proof detects a recovery that does not get there.
  bool offline = false;
};

// For a backup and the timeline of a recovery target. Throws Error(repository, wal_missing) when
// the backup names a start segment that is not valid for that size.
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
  missing_history,   // WAL of a timeline is archived without its history file: "latest" ignores it
  unknown_timeline,  // the requested timeline has no history file: PostgreSQL refuses to start
  not_a_child,       // it branched off before the backup ended, or does not descend from it
  orphaned_branch,   // the parent continues past the fork; replay follows the child
  empty_timeline,    // it has a history file but no segment yet
  duplicate,         // a needed segment is archived more than once, with different content
  wrong_size,        // a needed segment is empty, or uncompressed and not one segment long
  damaged,           // a needed segment was read and found damaged
};

struct LineageProblem {
  LineageProblemKind kind = LineageProblemKind::duplicate;
  std::string object;   // history file, segment or repository file
  std::string message;  // one clause, lower case
  bool blocks = false;  // recovery on this timeline cannot continue past it, or cannot start
};

struct WalLineage {
  std::uint64_t segment_size = 0;
  Timeline timeline =
      0;  // where recovery ends; the backup's own when the requested one is unusable
  std::vector<TimelineSwitch> switches;  // from the backup's timeline on, oldest first
  std::vector<WalRange> required;        // in replay order
  std::vector<WalRange> gaps;            // the missing part of `required`, in replay order
  std::vector<LineageProblem> problems;
  std::uint64_t required_count = 0;
  std::uint64_t missing_count = 0;
  std::uint64_t before_first_gap = 0;  // needed segments present before the first gap ...
  std::uint64_t after_first_gap = 0;   // ... and after it, unusable
  Bytes required_bytes;                // size of the needed files in the repository
  bool backup_complete = false;        // all segments needed for consistency are present
  // The last segment that replay can read; nullopt when not even the first one is readable.
  std::optional<WalSegment> last_reachable;
  // Replay ends before this: the end of `last_reachable`, the switch in it, or the backup's start.
  Lsn reachable_end;
  Lsn archive_end;  // the end of the newest needed segment, gaps or not

  [[nodiscard]] bool continuous() const;  // no gap and no blocking problem
};

// The archive's complete segments by name; shared by all lineages traced in one archive.
struct ArchiveIndex {
  // `archive` outlives the index.
  explicit ArchiveIndex(const ArchiveListing& archive);
  const ArchiveListing& archive;
  std::map<std::string, std::string> damage;  // by file: the problem found by reading it
  std::map<WalSegment, std::vector<const ArchivedSegment*>> files;
};

WalLineage trace_lineage(const ArchiveListing& archive, const LineageRequest& request);
WalLineage trace_lineage(const ArchiveIndex& index, const LineageRequest& request);

// Whether replay that ended at `replayed` read the newest segment, which ends at `archive_end`.
bool reaches_archive_end(Lsn replayed, Lsn archive_end, std::uint64_t segment_size);

}  // namespace pgrehearse
