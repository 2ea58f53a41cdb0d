// Fills the ledger of a state directory for the tests of the web pages: drills of many stanzas, one
// with hostile names, and the finished drills below <state>/runs.
// usage: fill_ledger STATE STANZAS DRILLS
#include <fmt/format.h>

#include <cstdlib>

#include "harness/history/ledger.hpp"
#include "harness/history/sqlite_database.hpp"
#include "harness/report/run_store.hpp"
#include "harness/serve/web/drill_files.hpp"

namespace pgrehearse {
namespace {

Instant now() { return std::chrono::system_clock::now(); }

LedgerRow row_of(int stanza, int drill, int stanzas) {
  const auto started =
      now() - std::chrono::hours(24) * (drill / stanzas) - std::chrono::minutes(stanza % 60 + 1);
  const bool never = stanza % 50 == 7;
  const bool failed = never || (stanza + drill / stanzas) % 23 == 5;
  LedgerRow row{.id = make_run_id(started, static_cast<std::uint64_t>(drill) + 1),
                .scenario = fmt::format("weekly-{:03}", stanza),
                .stanza = fmt::format("stanza-{:03}", stanza),
                .host = "drill1",
                .operator_account = "postgres",
                .program_version = "0.1.0",
                .started = started,
                .state = DrillState::finished,
                .finished = started + std::chrono::minutes(7),
                .verdict = failed ? Verdict::fail : Verdict::pass,
                .likely_cause = failed ? LikelyCause::archive : LikelyCause::none,
                .diagnosis = failed ? "segment 000000010000000000000042 is missing"
                                    : "the backup restores: 7 checks passed",
                .backup_label = "20261120-020000F",
                .backup_type = "full",
                .backup_stopped = started - std::chrono::hours(1),
                .backup_bytes =
                    10000000000ULL + static_cast<std::uint64_t>(stanzas * 20 - drill) * 1000000ULL,
                .landing_lsn = "0/D4000A8",
                .landing_time = started - std::chrono::minutes(2)};
  if (!failed) {
    row.rto = std::chrono::seconds(200 + (stanzas * 20 - drill) / stanzas * 5 + drill % 7);
    row.rpo = std::chrono::seconds(60 + drill % 30);
  }
  row.rto_objective = std::chrono::minutes(10);
  row.rpo_objective = std::chrono::minutes(10);
  return row;
}

void fill(const std::filesystem::path& state, int stanzas, int drills) {
  Ledger ledger(std::make_unique<SqliteDatabase>(state));
  for (int drill = drills - 1; drill >= 0; --drill) {
    ledger.import(row_of(drill % stanzas, drill, stanzas));
  }
  if (stanzas < 2) return;
  auto hostile = row_of(0, 1, stanzas);
  hostile.id = make_run_id(hostile.started, 0xffffffffU);
  hostile.scenario = hostile.stanza =
      "<script>document.title='broken'</script>\x1b[31m\xe2\x80\xae";
  hostile.diagnosis = "<img src=x onerror=alert(1)> " + std::string(10000, 'x');
  ledger.import(hostile);
}

void import_finished_runs(const std::filesystem::path& state) {
  Ledger ledger(std::make_unique<SqliteDatabase>(state));
  for (const auto& run : RunStore(state).list()) {
    const auto report = DrillFiles::record(run.path);
    if (!report || !report->finished) continue;
    LedgerRow row{.id = report->id,
                  .scenario = report->scenario.name,
                  .stanza = report->backup ? report->backup->stanza : report->scenario.name,
                  .host = report->host,
                  .started = report->started,
                  .state = DrillState::finished};
    set_results(row, *report);
    ledger.import(row);
  }
}

}  // namespace
}  // namespace pgrehearse

int main(int argc, char** argv) {
  if (argc != 4) return 3;
  pgrehearse::fill(argv[1], std::atoi(argv[2]), std::atoi(argv[3]));
  pgrehearse::import_finished_runs(argv[1]);
  return 0;
}
