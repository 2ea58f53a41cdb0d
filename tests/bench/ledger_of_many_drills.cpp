// How long the queries of a ledger with many drills take, and `pgrehearse history` on it.
//
//   tests/bench/ledger_of_many_drills DIRECTORY [DRILLS]     SQLite, in DIRECTORY
//   tests/bench/ledger_of_many_drills "host=... dbname=..." [DRILLS]
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness/history/evidence/verification.hpp"
#include "harness/history/ledger.hpp"
#include "harness/history/ledger_columns.hpp"
#include "harness/history/postgres_database.hpp"
#include "harness/history/sqlite_database.hpp"
#include "tests/fakes/sample_rows.hpp"

namespace pgrehearse {
namespace {

template <class Action>
void time(const char* name, const Action& action) {
  const auto began = std::chrono::steady_clock::now();
  const auto count = action();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  std::puts(fmt::format("{:<40} {:>8} rows {:>9.1f} ms", name, count, took.count()).c_str());
}

std::unique_ptr<LedgerDatabase> open(const std::string& place) {
  if (place.find('=') == std::string::npos) return std::make_unique<SqliteDatabase>(place);
  return std::make_unique<PostgresDatabase>(parse_dsn(place));
}

void measure(const std::string& place, int drills) {
  Ledger ledger(open(place));
  time("start and finish each", [&] {
    for (int drill = 0; drill < drills; ++drill) {
      const auto scenario = fmt::format("scenario{}", drill % 50);
      auto row = drill % 20 == 7 ? failed_row(scenario, drill) : passed_row(scenario, drill);
      row.stanza = fmt::format("stanza{}", drill % 50);
      row.backup_label = fmt::format("20261120-{:06}F", drill / 50);
      auto started = started_row(scenario, drill);
      started.stanza = row.stanza;
      if (ledger.start(started)) ledger.finish(row);
    }
    return drills;
  });
  const auto since = started_row("x", drills - 1000).started;
  time("list, newest 20", [&] { return ledger.list({.limit = 20}).size(); });
  time("list, of a scenario", [&] { return ledger.list({.scenario = "scenario7"}).size(); });
  time("list, failed, newest 20",
       [&] { return ledger.list({.verdict = Verdict::fail, .limit = 20}).size(); });
  time("list, since", [&] { return ledger.list({.since = since}).size(); });
  time("newest of each scenario", [&] { return ledger.newest_of_each_scenario().size(); });
  time("newest finished of each scenario",
       [&] { return ledger.newest_finished_of_each_scenario().size(); });
  time("newest pass of each scenario",
       [&] { return ledger.newest_pass_of_each_scenario().size(); });
  time("running", [&] { return ledger.running().size(); });
  time("trend, of a stanza", [&] { return ledger.trend({.stanza = "stanza7"}).size(); });
  time("trend, of all", [&] { return ledger.trend({}).size(); });
  time("coverage, of a stanza", [&] { return ledger.coverage("stanza7").front().backups.size(); });
  time("coverage, of all", [&] { return ledger.coverage().size(); });
  time("trials, of a stanza", [&] { return ledger.trials("stanza7").size(); });
  time("ids", [&] { return ledger.ids().size(); });
  time("verify the chain and the rows", [&] {
    const auto result = verify_ledger(ledger, {.host = "another", .state = "/nonexistent"}, {});
    return result.problems.empty() ? result.entries : 0;
  });
}

}  // namespace
}  // namespace pgrehearse

int main(int argc, char** argv) {
  if (argc < 2) return 3;
  pgrehearse::measure(argv[1], argc > 2 ? std::atoi(argv[2]) : 10000);
}
