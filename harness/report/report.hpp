// The record of one drill. All formats are written from it, old runs from their saved JSON
// ("pgrehearse.report/1", docs/report.schema.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/commit_records.hpp"
#include "harness/postgres/lsn.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/report/verdict.hpp"

namespace pgrehearse {

// One thing that is wrong or worth knowing. Its code has a page in docs/findings.
struct Finding {
  FindingCode code = FindingCode::none;
  std::optional<Severity> severity = {};  // absent: the code's
  std::string object;  // the file, segment, relation ("shop.public.orders") or setting
  std::string message;
  std::string hint;                            // what to do next; may be empty
  std::map<std::string, std::string> details;  // the numbers, by name
};

inline Severity severity_of(const Finding& finding) {
  return finding.severity.value_or(severity_of(finding.code));
}

// Transactions that committed on a timeline after the next timeline branched off: they are on no
// later timeline. A failover leaves them when the old primary was ahead of its standbys.
struct OrphanedCommits {
  Timeline timeline = 0;
  Timeline next = 0;  // the one that branched off
  Lsn switch_lsn;
  std::size_t transactions = 0;
  TransactionMark first;
  TransactionMark last;
};

// Where recovery stopped, with proof.
struct Landing {
  std::string asked;  // the recovery target in words
  std::optional<Instant> target_time;
  int utc_offset = 0;      // in minutes: how the user wrote the target time
  std::optional<Lsn> lsn;  // end of the last replayed record
  std::optional<Timeline> timeline;
  std::optional<Instant> time;  // commit time of the last applied transaction
  std::optional<TransactionMark> last_applied;
  std::optional<TransactionMark> first_withheld;
  std::optional<Lsn> archive_end;  // latest only: where the independent listing says the WAL ends
  // Before the landing, oldest first. Not in the JSON: the check `landing` reports them.
  std::vector<OrphanedCommits> abandoned;
  // Why the transactions around the landing were not examined. Not in the JSON; the proof says it.
  std::string unexamined;
  // Not in the JSON: the check `landing` reports them.
  std::optional<TransactionMark> last_ended;  // as last_applied, but rollbacks count, too
  std::string damaged;                        // WAL segment that cannot be read to its end, if any
  std::vector<Lsn> namesakes;                 // later restore points with the target's name
  std::string promoted_because;               // why recovery could not pause here; empty: it did
  bool proved = false;                        // false: the message says what is missing
  std::string proof;                          // in words
};

// A file that `recover --dump` wrote.
struct DumpRecord {
  std::string object;  // "shop.public.orders" or "shop"
  std::string file;
  std::uint64_t bytes = 0;
};

// A target that recovery visited on the way to the last one.
struct StopRecord {
  std::string target;
  bool reached = false;
  Landing landing;  // its proof says why, if it was not reached
  std::vector<DumpRecord> dumps;
  std::string copy;  // run id of the copy that was kept there; empty: none
};

struct PhaseRecord {
  std::string name;
  double seconds = 0;
  std::optional<std::uint64_t> bytes;
  bool completed = false;
};

struct ObjectiveRecord {
  std::optional<double> objective;  // seconds
  std::optional<double> measured;   // seconds; absent: unknown
  std::string explanation;          // how it was measured, or why it could not be measured
};

// One table, as compared with the primary.
struct ComparedTable {
  std::string name;      // "shop.public.orders"
  std::string result;    // same, different, missing rows, extra rows, unreadable or not compared
  std::string coverage;  // full, sampled, counted or none
  std::optional<std::int64_t> expected;  // rows on the primary
  std::optional<std::int64_t> actual;    // rows in the restored cluster
  std::uint64_t bytes = 0;               // size on the primary
  std::string note;
};

struct ComparisonRecord {
  bool exact = false;
  std::string method;  // "none" where nothing was compared with the primary
  std::optional<Lsn> lsn;
  std::uint64_t candidates = 0;  // snapshots that were tried
  std::string explanation;
  std::vector<ComparedTable> tables;  // differences first, then the largest
  std::uint64_t tables_omitted = 0;   // not in the list
};

struct CheckRecord {
  std::string name;
  std::string check;  // name in the table of checks
  Verdict verdict = Verdict::unknown;
  double seconds = 0;
  std::string state;
  std::string summary;
  std::vector<Finding> findings;
};

struct CommandRecord {
  std::string command;  // redacted
  int exit_code = 0;
  double seconds = 0;
  std::string log;  // file below the run directory; empty when it printed nothing
};

struct BackupRecord {
  std::string label;
  std::string type;
  std::string reason;  // why it was chosen
  std::string stanza;
  int repository_key = 1;
  std::string postgres_version;
  std::uint64_t system_identifier = 0;
  std::optional<Instant> start_time;
  std::optional<Instant> stop_time;
  std::optional<Lsn> start_lsn;
  std::optional<Lsn> stop_lsn;
  std::uint64_t bytes = 0;
  std::vector<std::string> databases;  // of a partial restore; empty: all
};

// The repository when the drill started: what could be recovered, derived from its listing.
struct ArchivedBackup {
  std::string label;
  std::string type;
  std::optional<Instant> start_time;
  std::optional<Instant> stop_time;
  std::optional<Lsn> stop_lsn;
  bool usable = true;
};
struct ArchiveRange {
  std::string kind;  // recoverable, lost or missing
  Lsn begin;
  Lsn end;
  std::optional<Instant> begin_time;  // absent: not known
  std::optional<Instant> end_time;
  std::string reason;
};
struct ArchiveRecord {
  Timeline timeline = 0;  // the one that recovery follows by default
  std::optional<Instant> listed_at;
  std::vector<ArchivedBackup> backups;  // oldest first
  std::vector<ArchiveRange> ranges;
};

struct SandboxRecord {
  std::string type;
  bool removed = false;
  bool kept = false;
  std::string root;
  std::vector<std::string> removal;    // what was removed
  std::vector<std::string> remaining;  // what could not be
  std::string connect;                 // kept only: the psql command
  // What keeps the server apart from this host: "network namespace". Empty: there was no sandbox.
  std::vector<std::string> isolation;
};

// The explanation of the verdict, for an on-call engineer.
struct Diagnosis {
  std::string summary;                   // what broke; for a pass: what was proved
  FindingCode code = FindingCode::none;  // none on a pass
  std::string object;                    // file, segment, relation, setting
  LikelyCause likely_cause = LikelyCause::none;
  std::string recoverable;  // which recovery points are lost and which remain; may be empty
  std::string next_step;
  std::vector<std::string> evidence;  // decisive log lines
};

struct ScenarioRecord {
  std::string name;
  std::string file;
  std::string hash;
  std::optional<std::uint64_t> seed;  // of a backup or target that was chosen at random
};

struct Report {
  std::string schema = "pgrehearse.report/1";
  std::string id;
  ScenarioRecord scenario;
  Instant started;
  std::optional<Instant> finished;  // absent: the drill was killed or still runs
  std::string host;
  Verdict verdict = Verdict::unknown;
  std::string error_kind;  // set when the drill could not go on
  Diagnosis diagnosis;
  std::optional<BackupRecord> backup;
  std::optional<ArchiveRecord> archive;
  std::optional<Landing> landing;
  std::vector<StopRecord> stops;  // on the way to it, in WAL order
  std::vector<DumpRecord> dumps;  // at the landing
  std::vector<PhaseRecord> phases;
  ObjectiveRecord rto;
  ObjectiveRecord rpo;
  ComparisonRecord comparison;
  std::vector<CheckRecord> checks;
  SandboxRecord sandbox;
  std::map<std::string, std::string> tools;  // name -> version
  std::vector<CommandRecord> commands;
};

// JSON text with two-space indent and a final newline.
std::string to_json(const Report& report);
// Throws Error(usage) naming the key when it is not a report of this schema.
Report report_from_json(const std::string& text);

}  // namespace pgrehearse
