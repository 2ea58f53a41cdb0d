// Which instants a repository can bring back, told from its listing alone: what each backup set
// reaches along which timeline, what lies between, and what every hole in the archive costs. Pure:
// it is built on the lineage and touches nothing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/map/verified_damage.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// A place in the WAL and what is known of when it was written. File times are no evidence: an exact
// time comes from the set's record or from a commit record, anything else lies between bounds.
struct MapPoint {
  Lsn lsn;
  std::optional<Instant> time;
  std::optional<Instant> not_before;
  std::optional<Instant> not_after;
};

struct MappedSet {
  Backup backup;
  std::string code;                 // finding code of the first fault
  std::vector<std::string> faults;  // why it is of no use; empty: it can be restored
  Timeline latest = 0;              // where recovery to `latest` leads from it; sets may differ
  [[nodiscard]] bool usable() const { return faults.empty(); }
};

// Instants that can be recovered without a break between them.
struct MapStretch {
  MapPoint begin;   // the end of its first set; `time` is the first whole second behind it
  MapPoint end;     // replay ends here; `time` is that of the last commit before it
  WalSegment last;  // the last segment that replay can read
  // Start of the last whole record in it: an LSN target must not lie behind. Absent: not read.
  std::optional<Lsn> last_record = {};
  std::string note;               // why the time of its end is not known exactly; may be empty
  std::vector<std::string> sets;  // the usable ones in it, oldest first
};

// Instants that were archived or once stood between sets and cannot be recovered.
struct MapLoss {
  MapPoint begin;  // `time` as at a stretch's end; where no stretch precedes: of the useless set
  MapPoint end;
  bool ended_by_set = false;      // a later set ends it; otherwise it reaches the archive's end
  std::vector<WalRange> gaps;     // segments that are missing in it
  std::vector<std::string> sets;  // sets of no use that lie in it
  std::string reason;             // one clause
};

// One timeline with its ancestors, as recovery would follow it.
struct MapBranch {
  Timeline timeline = 0;
  bool latest = false;  // what recovery follows unless a timeline is named
  std::vector<TimelineSwitch> switches;
  Lsn archive_begin;  // start of the oldest set's first segment
  Lsn archive_end;    // end of the newest archived segment
  WalSegment newest;  // that segment
  std::vector<MapStretch> stretches;
  std::vector<MapLoss> losses;
  std::vector<WalRange> gaps;
  std::vector<LineageProblem> problems;
};

// One cluster's archive in one repository, with the sets made of it.
struct MapArchive {
  std::string id;  // "15-1"
  int repository_key = 1;
  std::string postgres_version;
  std::uint64_t system_identifier = 0;
  std::uint64_t segment_size = 0;
  std::uint64_t segments = 0;
  Bytes bytes;
  Instant listed_at;
  std::vector<MappedSet> sets;        // oldest first by stop time
  std::vector<MapBranch> branches;    // the one of `latest` first
  std::vector<WalRange> unreachable;  // archived, but on no branch that a set can follow
  std::vector<std::string> unrecognised;
  bool verified = false;  // each file was read, not only listed

  [[nodiscard]] bool continuous() const;
};

// `sets`: all of one archive and repository.
MapArchive map_archive(std::span<const Backup> sets, const ArchiveListing& archive,
                       const ArchiveDamage& damage = {});

// Consecutive archived segments by timeline, whoever needs them.
std::vector<WalRange> archived_ranges(const ArchiveListing& archive);

// How far the archive is behind the primary.
struct ArchiveLag {
  Lsn primary_lsn;
  Timeline timeline = 0;
  Lsn archive_end;
  std::uint64_t bytes = 0;  // from the end of what `latest` recovers to the primary's position
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
  std::string scenario;  // empty: none was given
  std::string tool_version;
  RepositoryStatus status;
  Instant drawn_at;
  std::vector<MapArchive> archives;  // the newest cluster's first
  std::optional<ArchiveLag> lag;
  std::vector<std::string> unknown;  // what could not be told, one clause each
};

enum class MapVerdict { continuous, damaged, unknown };
// `damaged` where anything is lost or of no use, else `unknown` where something could not be told.
MapVerdict verdict_of(const RecoveryMap& map);

}  // namespace pgrehearse
