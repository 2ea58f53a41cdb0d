#include "tests/unit/drill/drill_bench.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace pgrehearse {

namespace {

constexpr std::string_view run_id = "20261120T030000Z-00000001";
constexpr auto commit =
    "rmgr: Transaction len (rec/tot): 34/34, tx: 745, lsn: 0/03000100, prev 0/030000C8, desc: "
    "COMMIT 2026-11-20 03:00:00.123456 UTC\n";

std::filesystem::path new_directory() {
  std::string pattern = testing::TempDir() + "pgr-drill-XXXXXX";
  return mkdtemp(pattern.data());
}

}  // namespace

void RecordingProgress::drill_started(const Report&) { calls_.made("started"); }

void RecordingProgress::phase_started(std::string_view name, const PhaseExpectation&) {
  std::error_code failure;
  if (std::filesystem::exists(record_, failure)) {
    const auto record = load_report(record_);
    saved_.push_back(record.phases.empty() ? "" : record.phases.back().name);
  }
  calls_.made("phase " + std::string(name));
}

DrillBench::DrillBench(const std::vector<std::string>& requested)
    : directory_(new_directory()), progress(calls, run_directory() / "report.json") {
  scenario.name = "weekly";
  scenario.repository.stanza = "orders";
  scenario.sandbox.type = "local";
  scenario.sandbox.directory = directory_ / "sandboxes";
  if (geteuid() == 0) scenario.sandbox.account = "nobody";
  for (const auto& name : requested) scenario.checks.push_back({.check = name, .name = name});
  postgres.on_start(replaying());
  answer_statements();
}

DrillBench::~DrillBench() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

FakePostgres::Start DrillBench::replaying() {
  return {.log = {"LOG:  consistent recovery state reached", FakePostgres::ready},
          .before_log = [this] { request_archive_end(); }};
}

void DrillBench::request_archive_end() {
  auto& sandbox = *provisioner.newest();
  const auto file = sandbox.paths().wal / "requests";
  sandbox.write_file(file,
                     sandbox.read_file(file, 0) +
                         "000000010000000000000002 0\n000000010000000000000003 0\n"
                         "000000010000000000000004 1\n000000010000000000000004 1\n",
                     0600);
}

void DrillBench::restored_server_ends(const std::string& line, FakePostgres::Start fresh) {
  postgres.on_starts({{.log = {line}, .ends = CommandResult{.exit_code = 1}}, std::move(fresh)});
}

// Last, so that a test's own answers win.
void DrillBench::answer_programs() {
  using Script = ScriptedCommandRunner;
  postgres.programs.on({"pg_controldata"}, Script::success(FakePostgres::control_data()));
  postgres.programs.on_call({"archive-get"}, [this](const Command& command) {
    const auto has = [&](const ArchivedSegment& file) {
      return command.arguments.front() == file_name(file.segment, FakeRepository::segment_bytes);
    };
    return std::ranges::any_of(repository.segments, has) ? Script::success()
                                                         : Script::failure(1, "");
  });
  postgres.programs.on({"pg_waldump"}, Script::success(commit));
  postgres.programs.on({"initdb"}, Script::success());
}

void DrillBench::answer_statements() {
  using Script = ScriptedServer;
  server.on_call("pg_last_wal_replay_lsn()", [this](const std::string&) {
    return Script::row({replayed, "2026-11-20 03:00:00.123456+00", replay_paused_ ? "t" : "f"});
  });
  server.on_call("select pg_wal_replay_pause()", [this](const std::string&) {
    replay_paused_ = true;
    return Script::row({""});
  });
  server.on("from pg_database", Script::row({"postgres"}));
  server.on("from pg_event_trigger", Rows{});
  server.on("pg_promote", Script::row({"t"}));
  server.on_call("pg_wal_replay_resume", [this](const std::string&) {
    replay_paused_ = false;
    request_archive_end();
    replayed = "0/3FFFF00";
    return Script::row({""});
  });
  server.on("select pg_is_in_recovery()", Script::row({"f"}));
  server.on("checkpoint", Rows{});
  server.on("pg_relation_filepath", Rows{});
}

Report DrillBench::run(bool keep) {
  answer_programs();
  CommandRecorder commands(postgres);
  RunStore store(directory_ / "state");
  return run_drill(scenario,
                   {.commands = commands,
                    .provisioner = &provisioner,
                    .repository = repository,
                    .checks = ScriptedChecks::table(),
                    .store = store,
                    .progress = progress,
                    .state = directory_ / "state",
                    .now = [] { return Instant(std::chrono::seconds(1'795'143'600)); },
                    .run_id = std::string(run_id),
                    .host = "host",
                    .version = "0.1.0",
                    .timed_out = [this] { return timed_out; },
                    .pause_point_visitors = visitors},
                   keep, stop.get_token());
}

std::filesystem::path DrillBench::run_directory() const {
  return directory_ / "state/runs/weekly" / run_id;
}

Report DrillBench::saved() const { return load_report(run_directory() / "report.json"); }

std::vector<std::string> DrillBench::phases() const {
  constexpr std::string_view prefix = "phase ";
  std::vector<std::string> names;
  for (const auto& call : calls.calls()) {
    if (call.starts_with(prefix)) names.push_back(call.substr(prefix.size()));
  }
  return names;
}

void DrillBench::stop_at(const std::string& call) {
  calls.on(call, [this] { stop.request_stop(); });
}

const CheckRecord* find_check(const Report& report, std::string_view name) {
  const auto found = std::ranges::find(report.checks, name, &CheckRecord::name);
  return found == report.checks.end() ? nullptr : &*found;
}

}  // namespace pgrehearse
