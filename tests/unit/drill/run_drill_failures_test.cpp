// How a drill gives up: in each phase, with which verdict and cause, and what it leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <stdexcept>

#include "tests/unit/drill/drill_bench.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Script = ScriptedCommandRunner;

const std::vector<std::string> every_check = {"any", "paused", "second", "promoted", "stopped"};

struct GivingUp {
  std::string phase;
  std::function<void(DrillBench& bench)> failure;
  Verdict verdict = Verdict::unknown;
  std::string error_kind;
  FindingCode code = FindingCode::none;
  LikelyCause cause = LikelyCause::environment;
  ExitCode exit = ExitCode::unknown;
  std::string name = {};  // where one phase has several rows
};

void PrintTo(const GivingUp& row, std::ostream* out) { *out << row.phase << ' ' << row.name; }

template <typename Row>
std::string name_of_row(const testing::TestParamInfo<Row>& info) {
  std::string name;
  for (const char c : info.param.phase + " " + info.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}

void expect_given_up(DrillBench& bench, const Report& report, const std::string& phase) {
  auto phases = bench.phases();
  if (phases.back() == "destroy sandbox") phases.pop_back();
  EXPECT_EQ(phases.back(), phase) << "the phase in which the drill gave up";
  const auto record = std::ranges::find(report.phases, phase, &PhaseRecord::name);
  ASSERT_NE(record, report.phases.end());
  EXPECT_FALSE(record->completed);
  EXPECT_TRUE(report.finished.has_value());
  EXPECT_TRUE(report.sandbox.removed);
  EXPECT_THAT(bench.provisioner.list(), IsEmpty());
  EXPECT_FALSE(bench.postgres.running());
  EXPECT_EQ(bench.saved().verdict, report.verdict);
  for (const auto& check : every_check) EXPECT_NE(find_check(report, check), nullptr) << check;
}

class GivesUp : public testing::TestWithParam<GivingUp> {};

TEST_P(GivesUp, WithItsVerdictAndCauseAndWithoutLeavingAnything) {
  const auto& row = GetParam();
  DrillBench bench(every_check);
  row.failure(bench);
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, row.verdict) << report.diagnosis.summary;
  EXPECT_EQ(exit_code_of(report.verdict), row.exit);
  EXPECT_EQ(report.error_kind, row.error_kind);
  EXPECT_EQ(report.diagnosis.code, row.code);
  EXPECT_EQ(likely_cause(report), row.cause);
  expect_given_up(bench, report, row.phase);
  EXPECT_EQ(find_check(report, "stopped")->verdict, Verdict::skipped);
}

const Error disk_full(ErrorKind::environment, "the disk is full", "", FindingCode::env_disk_full);

INSTANTIATE_TEST_SUITE_P(
    InEachPhase, GivesUp,
    testing::Values(
        GivingUp{.phase = "prepare",
                 .failure =
                     [](DrillBench& bench) {
                       bench.calls.fail("list backups",
                                        Error(ErrorKind::repository, "backup.info is damaged", "",
                                              FindingCode::repo_damaged));
                     },
                 .verdict = Verdict::fail,
                 .error_kind = "repository",
                 .code = FindingCode::repo_damaged,
                 .cause = LikelyCause::backup,
                 .exit = ExitCode::fail},
        GivingUp{.phase = "prepare",
                 .failure = [](DrillBench& bench) { bench.repository.backups.clear(); },
                 .verdict = Verdict::fail,
                 .error_kind = "repository",
                 .code = FindingCode::backup_none,
                 .cause = LikelyCause::scenario,
                 .exit = ExitCode::fail,
                 .name = "no backup"},
        GivingUp{.phase = "prepare",
                 .failure =
                     [](DrillBench& bench) {
                       bench.calls.fail("probe", Error(ErrorKind::environment, "no PostgreSQL 15",
                                                       "", FindingCode::env_binary));
                     },
                 .verdict = Verdict::unknown,
                 .error_kind = "environment",
                 .code = FindingCode::env_binary,
                 .cause = LikelyCause::environment,
                 .name = "no binaries"},
        GivingUp{.phase = "create sandbox",
                 .failure = [](DrillBench& bench) { bench.calls.fail("create", disk_full); },
                 .verdict = Verdict::unknown,
                 .error_kind = "environment",
                 .code = FindingCode::env_disk_full,
                 .cause = LikelyCause::environment},
        GivingUp{.phase = "restore",
                 .failure = [](DrillBench& bench) { bench.repository.damaged = {"base/5/16385"}; },
                 .verdict = Verdict::fail,
                 .error_kind = "restore",
                 .code = FindingCode::repo_damaged,
                 .cause = LikelyCause::backup,
                 .exit = ExitCode::fail},
        GivingUp{.phase = "restore",
                 .failure =
                     [](DrillBench& bench) {
                       bench.postgres.programs.on({"pg_controldata"}, Script::failure(1, "no"));
                     },
                 .verdict = Verdict::fail,
                 .error_kind = "repository",
                 .code = FindingCode::control_unreadable,
                 .cause = LikelyCause::backup,
                 .exit = ExitCode::fail,
                 .name = "damaged pg_control"},
        GivingUp{.phase = "recover",
                 .failure =
                     [](DrillBench& bench) {
                       bench.restored_server_ends(
                           "FATAL:  could not locate a valid checkpoint record");
                     },
                 .verdict = Verdict::fail,
                 .error_kind = "recovery",
                 .code = FindingCode::wal_missing,
                 .cause = LikelyCause::archive,
                 .exit = ExitCode::fail},
        GivingUp{.phase = "prove landing",
                 .failure =
                     [](DrillBench& bench) {
                       bench.postgres.programs.on_call(
                           {"archive-get"},
                           [](const Command&) -> CommandResult { throw disk_full; });
                     },
                 .verdict = Verdict::unknown,
                 .error_kind = "environment",
                 .code = FindingCode::env_disk_full,
                 .cause = LikelyCause::environment},
        GivingUp{.phase = "checks while paused",
                 .failure =
                     [](DrillBench& bench) {
                       bench.checks.outcomes["paused"] = {.verdict = Verdict::unknown};
                       bench.calls.fail("require_sound", disk_full);
                     },
                 .verdict = Verdict::unknown,
                 .error_kind = "environment",
                 .code = FindingCode::env_disk_full,
                 .cause = LikelyCause::environment},
        GivingUp{
            .phase = "promote",
            .failure =
                [](DrillBench& bench) { bench.server.on("pg_promote", ScriptedServer::Lost{}); },
            .verdict = Verdict::fail,
            .error_kind = "recovery",
            .cause = LikelyCause::backup,
            .exit = ExitCode::fail},
        GivingUp{.phase = "stop",
                 .failure =
                     [](DrillBench& bench) {
                       bench.postgres.pg_ctl = Script::failure(1, "server does not shut down");
                     },
                 .verdict = Verdict::fail,
                 .error_kind = "startup",
                 .code = FindingCode::shutdown_failed,
                 .cause = LikelyCause::backup,
                 .exit = ExitCode::fail}),
    name_of_row<GivingUp>);

// The server of the restored cluster does not start.
TEST(RunDrillGivesUp, AFailedStartIsHeldAgainstTheBackupWhenAFreshClusterStarts) {
  DrillBench bench;
  bench.restored_server_ends("FATAL:  something is wrong");
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::fail);
  EXPECT_EQ(report.diagnosis.code, FindingCode::startup_failed);
  EXPECT_EQ(bench.postgres.starts().size(), 2U) << "no fresh cluster was started";
  EXPECT_THAT(report.diagnosis.evidence, Contains("FATAL:  something is wrong"));
}

TEST(RunDrillGivesUp, AFailedStartIsNotHeldAgainstTheBackupWhenAFreshClusterFailsToo) {
  DrillBench bench;
  bench.restored_server_ends("FATAL:  something is wrong",
                             {.log = {"FATAL:  could not create any Unix-domain sockets"},
                              .ends = CommandResult{.exit_code = 1}});
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.diagnosis.code, FindingCode::env_sandbox);
  EXPECT_EQ(likely_cause(report), LikelyCause::environment);
}

TEST(RunDrillGivesUp, AFailedStartIsNotHeldAgainstTheBackupWhenNoFreshClusterCanBeMade) {
  DrillBench bench;
  bench.restored_server_ends("FATAL:  something is wrong");
  bench.postgres.programs.on({"initdb"}, Script::failure(1, "no space"));
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.diagnosis.code, FindingCode::env_sandbox);
}

TEST(RunDrillGivesUp, AnEnvironmentErrorNeedsNoFreshCluster) {
  DrillBench bench;
  bench.restored_server_ends("FATAL:  could not write file: No space left on device");
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.diagnosis.code, FindingCode::env_disk_full);
  EXPECT_EQ(bench.postgres.starts().size(), 1U);
}

TEST(RunDrillGivesUp, ABrokenSandboxIsNamedRatherThanTheBackupInIt) {
  const Error engine_gone(ErrorKind::environment, "the engine has gone", "",
                          FindingCode::env_engine);
  const auto report_of = [&](const std::function<void(DrillBench&)>& failure) {
    DrillBench bench({"paused", "stopped"});
    failure(bench);
    bench.calls.fail("require_sound", engine_gone);
    auto report = bench.run();
    EXPECT_EQ(report.verdict, Verdict::unknown);
    EXPECT_EQ(report.diagnosis.code, FindingCode::env_engine);
    EXPECT_TRUE(report.sandbox.removed);
    return report;
  };
  report_of([](auto& bench) { bench.repository.damaged = {"base/5/16385"}; });
  report_of([](auto& bench) {
    bench.restored_server_ends("FATAL:  could not locate a valid checkpoint record");
  });
  report_of([](auto& bench) { bench.postgres.pg_ctl = Script::failure(1, "it hangs"); });
}

TEST(RunDrillGivesUp, ABugGivesNoVerdictOnTheBackup) {
  DrillBench bench;
  bench.calls.on("restore", [] { throw std::logic_error("vector::at"); });
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.error_kind, "internal");
  EXPECT_EQ(likely_cause(report), LikelyCause::pgrehearse);
  EXPECT_TRUE(report.sandbox.removed);
}

TEST(RunDrillGivesUp, ACheckThatFailedBeforeStillCounts) {
  DrillBench bench({"paused", "stopped"});
  bench.checks.outcomes["paused"] = {
      .verdict = Verdict::fail,
      .findings = {{.code = FindingCode::index_invalid, .message = "damaged"}}};
  bench.calls.on("check stopped", [] { FAIL() << "it was not reached"; });
  bench.server.on("pg_relation_filepath", Rows{});
  bench.postgres.pg_ctl = {.exit_code = 1, .error_output = "No space left"};
  bench.calls.fail("require_sound", disk_full);
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::fail);
  EXPECT_THAT(report.diagnosis.evidence, Contains(HasSubstr("damaged")));
}

struct Interruption {
  std::string phase;
  std::function<void(DrillBench& bench)> arrange;
  std::string name = {};
};

void PrintTo(const Interruption& row, std::ostream* out) { *out << row.phase; }

class IsInterrupted : public testing::TestWithParam<Interruption> {};

TEST_P(IsInterrupted, WithoutAVerdictAndWithTheSandboxDestroyed) {
  DrillBench bench(every_check);
  GetParam().arrange(bench);
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.error_kind, "interrupted");
  EXPECT_EQ(likely_cause(report), LikelyCause::environment);
  expect_given_up(bench, report, GetParam().phase);
}

TEST_P(IsInterrupted, ByItsTimeoutWhichTheDiagnosisNames) {
  DrillBench bench(every_check);
  GetParam().arrange(bench);
  bench.timed_out = true;
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.diagnosis.code, FindingCode::env_timeout);
  EXPECT_EQ(report.diagnosis.object, GetParam().phase);
}

Interruption at_call(const std::string& phase, const std::string& call) {
  return {.phase = phase, .arrange = [call](auto& bench) { bench.stop_at(call); }};
}

Interruption at_program(const std::string& phase, const std::string& program) {
  return {.phase = phase, .arrange = [program](DrillBench& bench) {
            bench.postgres.programs.on_call({program}, [&bench](const Command&) {
              bench.stop.request_stop();
              return CommandResult{.cancelled = true};
            });
          }};
}

Interruption at_statement(const std::string& phase, const std::string& text) {
  return {.phase = phase, .arrange = [text](DrillBench& bench) {
            bench.server.on_call(text, [&bench](const std::string&) {
              bench.stop.request_stop();
              return ScriptedServer::Silence{};
            });
          }};
}

INSTANTIATE_TEST_SUITE_P(InEachPhase, IsInterrupted,
                         testing::Values(at_call("prepare", "list backups"),
                                         at_call("create sandbox", "create"),
                                         at_call("restore", "restore"),
                                         at_statement("recover", "pg_last_wal_replay_lsn()"),
                                         at_program("prove landing", "archive-get"),
                                         at_statement("promote", "pg_promote"),
                                         at_statement("stop", "pg_relation_filepath")),
                         name_of_row<Interruption>);

// Checks that have started end by themselves; the phase counts as completed.
TEST(RunDrillIsInterrupted, WhileChecksRun) {
  for (const std::string check : {"paused", "promoted"}) {
    DrillBench bench(every_check);
    bench.stop_at("check " + check);
    const auto report = bench.run();
    EXPECT_EQ(report.verdict, Verdict::unknown);
    EXPECT_EQ(report.error_kind, "interrupted") << check;
    EXPECT_EQ(find_check(report, "stopped")->verdict, Verdict::skipped);
    EXPECT_EQ(bench.calls.count("check stopped"), 0);
    EXPECT_TRUE(report.sandbox.removed);
  }
}

TEST(RunDrillIsInterrupted, BeforeItStarts) {
  DrillBench bench;
  bench.stop.request_stop();
  const auto report = bench.run();
  EXPECT_EQ(report.error_kind, "interrupted");
  EXPECT_EQ(bench.calls.count("list backups"), 0);
  EXPECT_TRUE(report.sandbox.removed) << "there never was one";
}

// A file where the run directory was: root, too, cannot write there.
void lose_run_directory(DrillBench& bench) {
  std::filesystem::remove_all(bench.run_directory());
  std::ofstream(bench.run_directory()) << "not a directory";
}

TEST(RunDrillCannotWrite, ARecordThatCannotBeSavedIsReportedAndTheSandboxRemoved) {
  for (const std::string call : {"restore", "check paused", "check stopped", "destroy"}) {
    DrillBench bench(every_check);
    bench.calls.on(call, [&] { lose_run_directory(bench); });
    const auto report = bench.run();
    EXPECT_EQ(report.verdict, Verdict::unknown) << call << ": a drill without a record is no proof";
    EXPECT_EQ(report.diagnosis.code, FindingCode::env_state) << call;
    EXPECT_THAT(report.diagnosis.summary, HasSubstr("the report could not be saved"));
    EXPECT_TRUE(report.finished.has_value());
    EXPECT_TRUE(report.sandbox.removed) << call;
    EXPECT_THAT(bench.provisioner.list(), IsEmpty()) << call;
    EXPECT_FALSE(bench.postgres.running()) << call;
  }
}

TEST(RunDrillCannotWrite, ARecordThatCannotBeSavedDoesNotHideTheCause) {
  DrillBench bench(every_check);
  bench.calls.on("restore", [&] {
    lose_run_directory(bench);
    throw Error(disk_full);
  });
  const auto report = bench.run();
  EXPECT_EQ(report.diagnosis.code, FindingCode::env_disk_full);
  EXPECT_THAT(report.diagnosis.evidence, Contains(HasSubstr("could not be saved")));
  EXPECT_TRUE(report.sandbox.removed);
}

TEST(RunDrillCannotWrite, WithoutARunDirectoryNothingIsStarted) {
  DrillBench bench;
  bench.run();
  EXPECT_THROW(bench.run(), Error) << "the run directory exists";
  EXPECT_EQ(bench.calls.count("create"), 1);
}

// The backup was removed while it was restored: that is no evidence against it.
TEST(ExpiredBackup, IsUnknown) {
  DrillBench bench(every_check);
  bench.repository.damaged = {"base/5/16385"};
  bench.calls.on("restore", [&] { bench.repository.backups.clear(); });
  const auto report = bench.run();
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.diagnosis.code, FindingCode::backup_expired);
  EXPECT_EQ(report.diagnosis.object, "20261120-010000F");
}

TEST(ImpossibleTarget, IsRefusedBeforeTheRestore) {
  DrillBench bench(every_check);
  bench.scenario.target.timeline = "7";
  const auto report = bench.run();
  EXPECT_EQ(report.error_kind, name_of(ErrorKind::usage));
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.diagnosis.likely_cause, LikelyCause::scenario);
  EXPECT_EQ(report.diagnosis.code, FindingCode::timeline_missing);
  expect_given_up(bench, report, "prepare");
}

// pg_waldump cannot read the last segment past the landing.
TEST(LandingInADamagedSegment, IsNotProved) {
  DrillBench bench(every_check);
  bench.postgres.programs.on(
      {"pg_waldump"},
      Script::failure(1,
                      "pg_waldump: error: error in WAL record at 0/3FFFEC0: invalid record "
                      "length at 0/3FFFF00: wanted 24, got 0"));
  const auto report = bench.run();
  ASSERT_TRUE(report.landing.has_value());
  EXPECT_FALSE(report.landing->proved);
  EXPECT_EQ(report.landing->damaged, "000000010000000000000003");
  EXPECT_THAT(report.landing->proof, HasSubstr("invalid record length"));
}

}  // namespace
}  // namespace pgrehearse
