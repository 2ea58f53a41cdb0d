// The report record: everything that is known of one drill. All formats are made from it, and old
// runs re-render from its saved JSON ("pgrehearse.report/1", docs/report.schema.json).
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
#include "harness/report/verdict.hpp"

namespace pgrehearse {

// One thing that is wrong (or worth knowing), with a stable code that has a page in docs/findings/.
struct Finding {
  std::string code;    // "PGR-WAL-GAP"
  std::string object;  // the file, segment, relation ("shop.public.orders") or setting
  std::string message;
  std::string hint;                            // what to do next; may be empty
  std::map<std::string, std::string> details;  // the numbers, by name
};

// What was committed on a timeline behind the point where the next one left it: no later timeline
// has it. A failover leaves that where the old primary was ahead of its standbys.
struct OrphanedCommits {
  Timeline timeline = 0;
  Timeline next = 0;  // the one that left it
  Lsn switch_lsn;
  std::size_t transactions = 0;
  TransactionMark first;
  TransactionMark last;
};

// Where recovery really stopped, with proof.
struct Landing {
  std::string asked;       // the recovery target in words
  std::optional<Lsn> lsn;  // end of the last replayed record
  std::optional<Timeline> timeline;
  std::optional<Instant> time;  // commit time of the last applied transaction
  std::optional<TransactionMark> last_applied;
  std::optional<TransactionMark> first_withheld;
  std::optional<Lsn> archive_end;  // latest only: where the independent listing says the WAL ends
  // On the way to the landing, oldest first. Not in the record: the check `landing` tells it.
  std::vector<OrphanedCommits> abandoned;
  // Why nobody looked at the transactions around the landing. Not in the record; the proof says it.
  std::string unexamined;
  bool proved = false;  // false: the message says what is missing
  std::string proof;    // in words
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
  std::string explanation;          // from what it was measured, or why it could not be
};

struct ComparisonRecord {
  bool exact = false;
  std::string method;  // "none" where nothing was compared with the primary
  std::optional<Lsn> lsn;
  std::uint64_t candidates = 0;  // snapshots that were tried
  std::string explanation;
};

struct CheckRecord {
  std::string name;
  std::string check;  // the table's name for it
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
};

struct SandboxRecord {
  std::string type;
  bool removed = false;
  bool kept = false;
  std::string root;
  std::vector<std::string> removal;    // what was removed
  std::vector<std::string> remaining;  // what could not be
  std::string connect;                 // kept only: the psql command
};

// In plain words, for a person who was woken up.
struct Diagnosis {
  std::string summary;      // what broke; for a pass: what was proved
  std::string code;         // finding code; empty on a pass
  std::string object;       // file, segment, relation, setting
  std::string blame;        // backup | archive | environment | scenario | instance | none
  std::string recoverable;  // which recovery points are lost and which remain; may be empty
  std::string next_step;
  std::vector<std::string> evidence;  // decisive log lines
};

struct ScenarioRecord {
  std::string name;
  std::string file;
  std::string hash;
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
  std::optional<Landing> landing;
  std::vector<PhaseRecord> phases;
  ObjectiveRecord rto;
  ObjectiveRecord rpo;
  ComparisonRecord comparison;
  std::vector<CheckRecord> checks;
  SandboxRecord sandbox;
  std::map<std::string, std::string> tools;  // name -> version
  std::vector<CommandRecord> commands;
};

// JSON text with two-space indent and a last newline.
std::string to_json(const Report& report);
// Throws Error(usage) naming the key when it is not a report of this schema.
Report report_from_json(const std::string& text);

}  // namespace pgrehearse
