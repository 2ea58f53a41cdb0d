// The points in time to which a repository can recover, derived from its listing alone: the range
// of each backup on each timeline, and what each gap in the archive makes unrecoverable. Does no
// I/O.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/map/verified_damage.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// A WAL position and when it was written. `time` is exact: it comes from a backup's record or from
// a commit record. File times are not evidence; otherwise only bounds are known.
struct MapPoint {
  Lsn lsn;
  std::optional<Instant> time;
  std::optional<Instant> not_before;
  std::optional<Instant> not_after;
};

struct MappedBackup {
  Backup backup;
  FindingCode code = FindingCode::none;  // of the first problem
  std::vector<std::string> problems;     // why it is unusable; empty: it can be restored
  Timeline latest = 0;                   // where recovery to `latest` ends; backups may differ
  [[nodiscard]] bool usable() const { return problems.empty(); }
};

// A continuous recoverable range.
struct MapWindow {
  MapPoint begin;   // the end of its first backup; `time` is the first whole second after it
  MapPoint end;     // replay ends here; `time` is that of the last commit before it
  WalSegment last;  // the last segment that replay can read
  // Start of the last complete record: the last possible LSN target. Absent: WAL was not read.
  std::optional<Lsn> last_record = {};
  std::string note;                  // why the time of its end is not known exactly; may be empty
  std::vector<std::string> backups;  // labels of its usable backups, oldest first
};

// A range that was archived or backed up and cannot be recovered.
struct MapLoss {
  MapPoint begin;  // end of the window before it; without one, end of the first unusable backup
  MapPoint end;
  bool ended_by_backup =
      false;                   // a later backup ends it; otherwise it extends to the archive's end
  std::vector<WalRange> gaps;  // missing segments
  std::vector<std::string> unusable_backups;  // labels
  std::string reason;                         // one clause
};

// One timeline with its ancestors, as recovery follows it.
struct MapBranch {
  Timeline timeline = 0;
  bool latest = false;  // the timeline that recovery follows by default
  std::vector<TimelineSwitch> switches;
  Lsn archive_begin;  // start of the oldest backup's first segment
  Lsn archive_end;    // end of the newest archived segment
  WalSegment newest;  // that segment
  std::vector<MapWindow> windows;
  std::vector<MapLoss> losses;
  std::vector<WalRange> gaps;
  std::vector<LineageProblem> problems;
};

// One cluster's archive in one repository, with the backups of that cluster.
struct MapArchive {
  std::string id;  // "15-1"
  int repository_key = 1;
  std::string postgres_version;
  std::uint64_t system_identifier = 0;
  std::uint64_t segment_size = 0;
  std::uint64_t segments = 0;
  Bytes bytes;
  Instant listed_at;
  std::vector<MappedBackup> backups;  // oldest first
  std::vector<MapBranch> branches;    // that of `latest` first
  std::vector<WalRange> unreachable;  // archived, but no backup can be recovered to it
  std::vector<std::string> unrecognized;
  bool verified = false;  // file contents were read, not only names

  [[nodiscard]] bool continuous() const;
};

// `backups`: all of one archive and repository.
MapArchive map_archive(std::span<const Backup> backups, const ArchiveListing& archive,
                       const ArchiveDamage& damage = {});

// Consecutive archived segments by timeline, needed or not.
std::vector<WalRange> archived_ranges(const ArchiveListing& archive);

// How far the archive lags behind the primary.
struct ArchiveLag {
  Lsn primary_lsn;
  Timeline timeline = 0;
  Lsn archive_end;
  std::uint64_t bytes = 0;                // from the newest recoverable position to the primary's
  std::optional<Instant> primary_commit;  // newest, where the server tracks commit times
  std::optional<double> seconds;          // between it and the newest recoverable commit
  std::string last_archived;              // pg_stat_archiver
  std::optional<Instant> last_archived_at;
  std::string last_failed;
  std::optional<Instant> last_failed_at;
  bool failing = false;  // the newest attempt failed
};

struct RecoveryMap {
  std::string stanza;
  std::string scenario;  // empty: none
  std::string tool_version;
  RepositoryStatus status;
  Instant created_at;
  std::vector<MapArchive> archives;  // the newest cluster's first
  std::optional<ArchiveLag> lag;
  std::vector<std::string> unknown;  // what could not be determined, one clause each
};

enum class MapVerdict { continuous, damaged, unknown };
// `damaged` if anything is lost or unusable, else `unknown` if something could not be determined.
MapVerdict verdict_of(const RecoveryMap& map);

}  // namespace pgrehearse
