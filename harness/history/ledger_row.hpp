// What the ledger knows about one drill. It contains no secret and needs no run directory.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/report/report.hpp"
#include "harness/report/verdict.hpp"

namespace pgrehearse {

enum class DrillState {
  running,   // started; Ledger::is_alive says whether its process still exists
  finished,  // the row has a verdict of the drill
  killed,    // its process ended without a verdict
};
std::string_view name_of(DrillState state);
std::optional<DrillState> parse_drill_state(std::string_view name);

struct PhaseTime {
  std::string name;
  std::chrono::milliseconds duration{0};
  std::optional<std::uint64_t> bytes;
  bool operator==(const PhaseTime&) const = default;
};

// Absent: not measured, or not known yet.
struct LedgerRow {
  std::string id;  // the run id, unique across hosts
  std::string scenario;
  std::string stanza;
  std::string host;
  std::optional<std::uint64_t> process;  // id of the drill's process on `host`
  std::string operator_account;          // "postgres", "root (sudo by alice)"
  std::string program_version;
  std::string program_checksum;  // SHA-256 of the program file
  Instant started;
  std::optional<Instant> due;  // of the schedule; absent: started by hand
  std::uint64_t attempt = 1;   // for this due time; a retry of an `unknown` is 2
  DrillState state = DrillState::running;
  std::optional<Instant> finished;
  Verdict verdict = Verdict::unknown;  // unknown until the drill has finished
  LikelyCause likely_cause = LikelyCause::none;
  std::string finding_code;  // as in the report; empty on a pass
  std::string diagnosis;     // one line
  std::string target;        // the recovery target in words
  std::string databases;     // the only ones that were restored, comma-separated; empty: all
  // Why this backup or this target was chosen at random; the same drill again: --set seed=NUMBER.
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> repository_key;
  std::string backup_label;
  std::string backup_type;
  std::optional<Instant> backup_started;
  std::optional<Instant> backup_stopped;
  std::optional<std::uint64_t> backup_bytes;  // of the cluster
  std::string backup_start_lsn;               // replayed WAL: from here to landing_lsn
  std::string landing_lsn;
  std::optional<std::uint64_t> landing_timeline;
  std::optional<Instant> landing_time;  // commit time of the last applied transaction
  std::optional<std::uint64_t> replayed_bytes;
  std::optional<std::chrono::milliseconds> rto;  // measured
  std::optional<std::chrono::milliseconds> rto_objective;
  std::optional<std::chrono::milliseconds> rpo;  // measured
  std::optional<std::chrono::milliseconds> rpo_objective;
  std::optional<std::chrono::milliseconds> restore_time;
  std::optional<std::uint64_t> restore_bytes;
  std::optional<std::chrono::milliseconds> recovery_time;  // replay of WAL
  std::vector<PhaseTime> phases;
  std::map<std::string, std::uint64_t> findings;  // finding code -> number of findings
  std::string comparison;                         // "exact", "approximate" or empty: none
  std::string sandbox_type;
  std::string directory;      // the run directory on `host`
  std::string record_hash;    // SHA-256 of report.json
  std::string manifest_hash;  // of SHA256SUMS, which lists every file of the run directory
  std::string scenario_hash;  // of scenario.yaml there: the text with overrides, without secrets
  bool operator==(const LedgerRow&) const = default;
};

// The results of `report` in a row of the drill; leaves identity, due time, program and hashes
// alone. A report without `finished` leaves the state alone, too.
void set_results(LedgerRow& row, const Report& report);

// One point of a trend. Rates are bytes per second.
struct TrendPoint {
  std::string id;
  std::string scenario;
  std::string stanza;
  Instant started;
  Verdict verdict = Verdict::unknown;
  std::optional<std::chrono::milliseconds> rto;
  std::optional<std::chrono::milliseconds> rpo;
  std::optional<double> restore_rate;
  std::optional<double> replay_rate;
  std::optional<std::uint64_t> backup_bytes;
};

}  // namespace pgrehearse
