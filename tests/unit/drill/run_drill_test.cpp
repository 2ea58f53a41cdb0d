#include "harness/drill/run_drill.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "harness/drill/drill_record.hpp"
#include "tests/unit/drill/drill_bench.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::string> every_check = {"any", "paused", "second", "promoted", "stopped"};

std::vector<std::string> names_of(const std::vector<PhaseRecord>& phases) {
  std::vector<std::string> names;
  for (const auto& phase : phases) names.push_back(phase.name);
  return names;
}

void expect_sandbox_removed(DrillBench& bench, const Report& report) {
  EXPECT_TRUE(report.sandbox.removed);
  EXPECT_THAT(bench.provisioner.list(), IsEmpty());
  EXPECT_FALSE(bench.postgres.running());
}

TEST(RunDrill, PassesThroughItsPhasesInOrder) {
  DrillBench bench(every_check);
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::pass) << report.diagnosis.summary;
  EXPECT_EQ(likely_cause(report), LikelyCause::none);
  const std::vector<std::string> phases = {
      "prepare",       "create sandbox",       "restore",        "recover",
      "prove landing", "checks while paused",  "promote",        "checks after promotion",
      "stop",          "checks while stopped", "destroy sandbox"};
  EXPECT_EQ(bench.phases(), phases);
  EXPECT_EQ(names_of(report.phases), phases);
  for (const auto& phase : report.phases) EXPECT_TRUE(phase.completed) << phase.name;
  for (const auto& name : every_check) {
    ASSERT_NE(find_check(report, name), nullptr) << name;
    EXPECT_EQ(find_check(report, name)->verdict, Verdict::pass);
  }
  expect_sandbox_removed(bench, report);
}

TEST(RunDrill, EachCallBelongsToItsPhase) {
  DrillBench bench({"paused", "promoted"});
  bench.run();
  auto calls = bench.calls.calls();
  std::erase(calls, "archive_get");  // as often as the proof needs WAL
  EXPECT_THAT(calls, ElementsAre("started", "phase prepare", "version", "list backups", "probe",
                                 "list archive", "phase create sandbox", "create", "phase restore",
                                 "restore", "phase recover", "phase prove landing",
                                 "phase checks while paused", "check paused", "phase promote",
                                 "phase checks after promotion", "check promoted", "collect_logs",
                                 "phase destroy sandbox", "destroy", "finished"));
}

TEST(RunDrill, AStateThatNoCheckNeedsIsNotEntered) {
  const std::vector<std::string> always = {"prepare", "create sandbox", "restore", "recover",
                                           "prove landing"};
  const auto phases_with = [](const std::vector<std::string>& checks) {
    DrillBench bench(checks);
    EXPECT_EQ(bench.run().verdict, Verdict::pass);
    auto phases = bench.phases();
    phases.erase(phases.begin(), phases.begin() + 5);
    return phases;
  };
  EXPECT_THAT(phases_with({"any"}), ElementsAre("destroy sandbox"));
  EXPECT_THAT(phases_with({"paused"}), ElementsAre("checks while paused", "destroy sandbox"));
  EXPECT_THAT(phases_with({"promoted"}),
              ElementsAre("promote", "checks after promotion", "destroy sandbox"));
  EXPECT_THAT(phases_with({"stopped"}),
              ElementsAre("stop", "checks while stopped", "destroy sandbox"));
}

TEST(RunDrill, ReportsTheBackupAndTheLanding) {
  DrillBench bench;
  const auto report = bench.run();
  EXPECT_EQ(report.backup->label, "20261120-010000F");
  EXPECT_EQ(to_text(*report.landing->lsn), "0/3FFFF00");
  EXPECT_EQ(report.landing->timeline, 1U);
  EXPECT_TRUE(report.landing->proved) << report.landing->proof;
  EXPECT_EQ(report.landing->last_applied->xid, 745U);
  EXPECT_EQ(report.landing->first_withheld, std::nullopt);
  EXPECT_EQ(report.tools.at("backup tool"), "pgBackRest 2.45");
  EXPECT_EQ(report.tools.at("PostgreSQL"), "15.14");
  EXPECT_EQ(report.tools.at("PostgreSQL binaries"), "a fake of PostgreSQL 15");
}

// A record without a drill.
struct RecordBench {
  explicit RecordBench(std::vector<CheckRequest> checks) : requested(std::move(checks)) {}
  [[nodiscard]] Scenario scenario_of_drill() const {
    auto copy = drill.scenario;
    copy.checks = requested;
    return copy;
  }

  std::vector<CheckRequest> requested;
  DrillBench drill{{"paused"}};
  CommandRecorder commands{drill.postgres};
  Scenario scenario = scenario_of_drill();
  RunStore store{drill.run_directory()};
  DrillServices services{.commands = commands,
                         .repository = drill.repository,
                         .store = store,
                         .progress = drill.progress,
                         .now = [] { return Instant(); },
                         .run_id = "run-1"};
  DrillRecord record{scenario, services};
};

// The checks `landing` and `startup` always run.
TEST(RunDrill, WithoutChecksTheFirstLineSaysThatOnlyTheStartWasVerified) {
  RecordBench bench(std::vector<CheckRequest>{});
  auto& record = bench.record;
  record.report.checks = {{.name = "landing", .verdict = Verdict::pass}};
  record.conclude({});
  EXPECT_EQ(record.report.verdict, Verdict::pass);
  EXPECT_EQ(record.report.diagnosis.summary,
            "nothing but recovery and start was verified: the scenario has no checks");
}

TEST(RunDrill, OneOfSeveralComparisonsThatComparedIsReported) {
  RecordBench bench(std::vector<CheckRequest>{{.check = "comparison", .name = "comparison"}});
  auto& record = bench.record;
  EXPECT_EQ(record.report.comparison.explanation, "the check `comparison` compared nothing");
  const auto finished = [](ComparisonRecord comparison) {
    std::vector<FinishedCheck> checks(1);
    checks.front().comparison = std::move(comparison);
    return checks;
  };
  record.add(finished({.method = "none", .lsn = Lsn{7}}));
  record.add(finished({.method = "none", .explanation = "nothing was compared"}));
  EXPECT_EQ(record.report.comparison.lsn, Lsn{7});
}

TEST(RunDrill, NoCheckIsNoProof) {
  DrillBench bench(std::vector<std::string>{});
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_THAT(report.diagnosis.summary, HasSubstr("nothing was proved"));
}

TEST(RunDrill, AFailedCheckFailsTheDrillAndTheOthersStillRun) {
  DrillBench bench({"paused", "second", "promoted"});
  bench.checks.outcomes["paused"] = {
      .verdict = Verdict::fail,
      .findings = {
          {.code = FindingCode::amcheck_heap, .object = "shop.orders", .message = "damaged"}}};
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::fail);
  EXPECT_EQ(report.diagnosis.code, FindingCode::amcheck_heap);
  EXPECT_EQ(likely_cause(report), LikelyCause::backup);
  EXPECT_EQ(find_check(report, "second")->verdict, Verdict::pass);
  EXPECT_EQ(find_check(report, "promoted")->verdict, Verdict::pass);
  EXPECT_EQ(bench.calls.count("require_sound"), 0) << "a failed check is evidence enough";
}

TEST(RunDrill, AnExceptionInACheckIsUnknownForThatCheckAlone) {
  DrillBench bench({"paused", "second", "promoted"});
  bench.calls.on("check paused", [] { throw std::runtime_error("out of range"); });
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.error_kind, "");
  EXPECT_EQ(find_check(report, "paused")->verdict, Verdict::unknown);
  EXPECT_EQ(find_check(report, "paused")->findings.at(0).message, "out of range");
  EXPECT_EQ(find_check(report, "second")->verdict, Verdict::pass);
  EXPECT_EQ(find_check(report, "promoted")->verdict, Verdict::pass);
  EXPECT_NE(likely_cause(report), LikelyCause::backup);
}

TEST(RunDrill, AnInconclusiveCheckInABrokenSandboxIsTheEnvironmentsFault) {
  DrillBench bench({"paused", "promoted"});
  bench.checks.outcomes["paused"] = {.verdict = Verdict::unknown};
  bench.calls.fail("require_sound", Error(ErrorKind::environment, "the container ran out of memory",
                                          "", FindingCode::env_memory));
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.diagnosis.code, FindingCode::env_memory);
  EXPECT_EQ(find_check(report, "promoted")->verdict, Verdict::skipped);
  expect_sandbox_removed(bench, report);
}

TEST(RunDrill, ChecksThatNeedNoInstanceRunDuringTheRestore) {
  DrillBench bench({"any"});
  std::promise<void> checked;
  bench.calls.on("check any", [&] { checked.set_value(); });
  // The restore ends only after the check: run one after the other, neither would end.
  bench.calls.on("restore", [&] {
    EXPECT_EQ(checked.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  });
  EXPECT_EQ(bench.run().verdict, Verdict::pass);
}

TEST(RunDrill, TheRecordIsSavedAfterEachPhase) {
  DrillBench bench(every_check);
  bench.run();
  const auto saved = bench.progress.saved();
  const auto phases = bench.phases();
  ASSERT_EQ(saved.size(), phases.size());
  EXPECT_EQ(saved.front(), "");
  for (std::size_t i = 1; i < phases.size(); ++i) EXPECT_EQ(saved[i], phases[i - 1]);
  EXPECT_EQ(bench.saved().verdict, Verdict::pass);
  EXPECT_TRUE(bench.saved().finished.has_value());
}

TEST(RunDrill, AKilledDrillLeavesAReadableRecord) {
  DrillBench bench({"any", "paused", "promoted"});
  Report record;
  bench.calls.on("check promoted", [&] { record = bench.saved(); });
  bench.run();
  EXPECT_EQ(record.finished, std::nullopt);
  EXPECT_EQ(record.verdict, Verdict::unknown);
  EXPECT_EQ(record.diagnosis.summary, "the drill has not finished");
  EXPECT_EQ(record.backup->label, "20261120-010000F");
  EXPECT_NE(find_check(record, "any"), nullptr);
  EXPECT_NE(find_check(record, "paused"), nullptr);
}

TEST(RunDrill, WhatCannotBeRemovedIsReported) {
  DrillBench bench;
  bench.provisioner.add_leftover("process 123 postgres");
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_FALSE(report.sandbox.removed);
  EXPECT_THAT(report.sandbox.remaining, ElementsAre("process 123 postgres"));
  EXPECT_EQ(report.diagnosis.code, FindingCode::env_leftover);
  EXPECT_EQ(likely_cause(report), LikelyCause::environment);
  EXPECT_FALSE(report.phases.back().completed);
}

TEST(RunDrill, WhatCannotBeRemovedDoesNotHideAFailure) {
  DrillBench bench;
  bench.checks.outcomes["paused"] = {.verdict = Verdict::fail};
  bench.provisioner.add_leftover("process 123 postgres");
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::fail);
  EXPECT_NE(report.diagnosis.code, FindingCode::env_leftover);
  EXPECT_FALSE(report.sandbox.removed);
}

TEST(RunDrill, LogsThatCannotBeCollectedChangeNothing) {
  DrillBench bench;
  bench.calls.fail("collect_logs", Error(ErrorKind::environment, "no space left on device"));
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::pass);
  expect_sandbox_removed(bench, report);
}

TEST(RunDrill, KeepLeavesTheRecoveredInstanceRunning) {
  DrillBench bench;
  const auto report = bench.run(true);
  EXPECT_EQ(report.verdict, Verdict::pass);
  EXPECT_TRUE(report.sandbox.kept);
  EXPECT_FALSE(report.sandbox.removed);
  EXPECT_THAT(report.sandbox.connect, HasSubstr("psql -h "));
  const auto controls = bench.postgres.controls();
  ASSERT_FALSE(controls.empty()) << "the server was not started again";
  EXPECT_EQ(controls.back().arguments.front(), "start");
  ASSERT_EQ(bench.provisioner.list().size(), 1U);
  EXPECT_TRUE(bench.provisioner.list().front().kept);
  EXPECT_THAT(bench.phases(), Not(Contains("destroy sandbox")));
}

TEST(RunDrill, KeepRemovesASandboxWithoutALanding) {
  DrillBench bench;
  bench.restored_server_ends("FATAL:  could not locate a valid checkpoint record");
  const auto report = bench.run(true);
  EXPECT_EQ(report.verdict, Verdict::fail);
  EXPECT_FALSE(report.sandbox.kept);
  expect_sandbox_removed(bench, report);
}

TEST(RunDrill, AnInstanceThatCannotBeKeptIsRemoved) {
  DrillBench bench;
  bench.calls.fail("keep", Error(ErrorKind::environment, "the registry cannot be written"));
  const auto report = bench.run(true);
  EXPECT_FALSE(report.sandbox.kept);
  expect_sandbox_removed(bench, report);
}

class RecordingVisitor : public PausePointVisitor {
 public:
  RecordingVisitor(CallRecord& calls, Lsn lsn) : calls_(calls), point_{.lsn = lsn} {}
  std::vector<PausePoint> pause_points(const RepositoryContext&) override { return {point_}; }
  void at_pause_point(const InstanceContext&, const PausePoint& point) override {
    calls_.made("at " + to_text(point.lsn));
  }
  void pause_point_unreachable(const PausePoint& point, const std::string&) override {
    calls_.made("unreachable " + to_text(point.lsn));
  }
  void failed(const Error& error) override { calls_.made(std::string("failed ") + error.what()); }

 private:
  CallRecord& calls_;
  PausePoint point_;
};

TEST(RunDrill, PausesOnItsWayWhereAVisitorAsksForIt) {
  DrillBench bench;
  RecordingVisitor visitor(bench.calls, Lsn{0x3000000});
  bench.visitors = {&visitor};
  bench.replayed = "0/3000000";
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::pass) << report.diagnosis.summary;
  EXPECT_EQ(bench.phases(),
            (std::vector<std::string>{"prepare", "create sandbox", "restore", "find pause points",
                                      "recover to pause point", "at pause point", "recover",
                                      "prove landing", "checks while paused", "destroy sandbox"}));
  EXPECT_EQ(bench.calls.count("at 0/3000000"), 1);
  EXPECT_EQ(to_text(*report.landing->lsn), "0/3FFFF00");
  EXPECT_EQ(bench.postgres.starts().size(), 1U) << "a standby simply goes on";
}

TEST(RunDrill, APausePointBeforeTheEndOfTheBackupIsUnreachable) {
  DrillBench bench;
  RecordingVisitor visitor(bench.calls, Lsn{0x2000028});
  bench.visitors = {&visitor};
  EXPECT_EQ(bench.run().verdict, Verdict::pass);
  EXPECT_EQ(bench.calls.count("unreachable 0/2000028"), 1);
  EXPECT_THAT(bench.phases(), Not(Contains("recover to pause point")));
}

TEST(RunDrill, AVisitorThatFailsDoesNotEndTheDrill) {
  DrillBench bench;
  RecordingVisitor visitor(bench.calls, Lsn{0x3000000});
  bench.visitors = {&visitor};
  bench.replayed = "0/3000000";
  bench.calls.on("at 0/3000000", [] { throw std::runtime_error("out of range"); });
  EXPECT_EQ(bench.run().verdict, Verdict::pass);
  EXPECT_EQ(bench.calls.count("failed out of range"), 1);
}

}  // namespace
}  // namespace pgrehearse
