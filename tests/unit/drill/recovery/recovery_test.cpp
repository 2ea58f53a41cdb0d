#include "harness/drill/recovery/recovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/fakes/fake_postgres.hpp"
#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/fakes/scripted_server.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Script = ScriptedCommandRunner;

constexpr auto consistent = "LOG:  consistent recovery state reached at 0/2000100";
constexpr auto settings_too_low =
    "FATAL:  recovery aborted because of insufficient parameter settings";
constexpr std::string_view end_of_archive =
    "000000010000000000000002 0\n000000010000000000000003 0\n"
    "000000010000000000000004 1\n000000010000000000000004 1\n";

class SandboxThatTakesFiles : public ScriptedSandbox {
 public:
  using ScriptedSandbox::ScriptedSandbox;
  bool take_file(const Sandbox& other, const std::filesystem::path& file,
                 const std::filesystem::path& to) override {
    write_file(to, other.read_file(file), 0600);
    return true;
  }
};

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() {
    std::string pattern = testing::TempDir() + "pgr-recovery-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    instance_.emplace(sandbox_, directory_ / "postgresql.log");
    sandbox_.write_file("/sandbox/data/postgresql.auto.conf", "work_mem = '1GB'\n", 0600);
    postgres_.on_start({.log = {consistent, FakePostgres::ready},
                        .before_log = [this] { request(end_of_archive); }});
    server_.on_call("pg_last_wal_replay_lsn()", [this](const auto&) {
      ++polls_;
      return ScriptedServer::row({replayed_, "2026-11-20 03:00:00+00", paused_ ? "t" : "f"});
    });
    server_.on_call("pg_wal_replay_pause()", [this](const auto&) {
      paused_ = true;
      return ScriptedServer::row({""});
    });
    server_.on_call("pg_wal_replay_resume()", [this](const auto&) {
      paused_ = false;
      request(std::string(end_of_archive) + std::string(end_of_archive));
      return ScriptedServer::row({""});
    });
  }
  ~RecoveryTest() override {
    instance_.reset();
    std::filesystem::remove_all(directory_);
  }

  // A standby, paused at 0/3000000; the next recovery goes on to 0/3FFFF00.
  void pause_on_the_way() {
    until_ = Lsn{0x3000000};
    resume_from_ = recover().replayed;
    until_.reset();
    replayed_ = "0/3FFFF00";
  }
  RecoveryOutcome recover(std::stop_token stop = {}) {
    return pgrehearse::recover(
        {.sandbox = sandbox_,
         .instance = *instance_,
         .repository = repository_,
         .backup = repository_.backups.front(),
         .target = target_,
         .control = parse_control_data(FakePostgres::control_data()),
         .expected_end = Lsn{0x4000000},
         .on_progress = [this](std::optional<double> fraction,
                               std::string_view) { progress_.push_back(fraction.value_or(-1)); },
         .deadline = deadline_,
         .resume_from = resume_from_,
         .standby = target_.type == TargetType::latest,
         .until = until_,
         .fetched = &fetched_,
         .wal_timeout = milliseconds(1),
         .timeouts = {.consistency_line = milliseconds(1),
                      .stop_line = milliseconds(1),
                      .server_end = milliseconds(50),
                      .snapshot = snapshot_limit_,
                      .progress = progress_limit_}},
        std::move(stop));
  }
  void request(std::string_view requests) {
    sandbox_.write_file("/sandbox/wal/requests", requests, 0600);
  }
  void pause_at(const RecoveryTarget& target, const std::string& line) {
    target_ = target;
    paused_ = true;
    postgres_.on_start({.log = {consistent, line, FakePostgres::ready}});
  }
  // Settings of the server's command line and of its generated file.
  std::string settings_of_start(std::size_t start) {
    std::string text = sandbox_.read_file("/sandbox/configuration/postgresql.conf", 0);
    const auto command = postgres_.starts().at(start);
    for (const auto& argument : command.arguments) text += argument + "\n";
    return text;
  }

  std::filesystem::path directory_;
  ScriptedServer server_;
  FakePostgres postgres_;
  SandboxThatTakesFiles sandbox_{postgres_};
  CallRecord calls_;
  FakeRepository repository_{calls_};
  std::optional<Instance> instance_;
  RecoveryTarget target_;
  std::optional<Lsn> resume_from_;
  std::optional<Lsn> until_;
  FetchedWal fetched_;
  milliseconds deadline_{std::chrono::seconds(30)};
  milliseconds snapshot_limit_{std::chrono::minutes(1)};
  milliseconds progress_limit_{std::chrono::minutes(1)};
  std::string replayed_ = "0/3000000";
  bool paused_ = false;
  bool pause_requested_ = false;
  int polls_ = 0;
  std::vector<double> progress_;
};

TEST_F(RecoveryTest, LatestPausesAtTheEndOfTheArchive) {
  const auto outcome = recover();
  EXPECT_EQ(to_text(outcome.replayed), "0/3000000");
  EXPECT_EQ(outcome.last_transaction, parse_instant("2026-11-20 03:00:00+00"));
  EXPECT_EQ(outcome.requests.size(), 4U);
  EXPECT_EQ(outcome.gave_up, std::nullopt);
  EXPECT_TRUE(paused_);
  EXPECT_TRUE(instance_->running());
}

TEST_F(RecoveryTest, ASegmentThatCannotBeReplayedEndsTheRecovery) {
  std::string again;
  for (int round = 0; round < 5; ++round) {
    again += "000000010000000000000002 0\n000000010000000000000003 0\n";
  }
  postgres_.on_start(
      {.log = {consistent, FakePostgres::ready}, .before_log = [this, again] { request(again); }});
  const auto outcome = recover();
  EXPECT_EQ(outcome.end, (ReplayEnd{.segment = "000000010000000000000003", .unreadable = true}));
}

// A hot standby without a snapshot never accepts connections.
TEST_F(RecoveryTest, IsPromotedWhereItCannotBePaused) {
  postgres_.on_start({.log = {consistent}, .before_log = [this] { request(end_of_archive); }});
  snapshot_limit_ = milliseconds(50);
  server_.on("select pg_is_in_recovery()", ScriptedServer::row({"f"}));
  server_.on("from pg_database", Rows{});
  server_.on("checkpoint", Rows{});
  server_.on("pg_last_wal_replay_lsn()",
             ScriptedServer::row({"0/3000000", std::nullopt, "promoted"}));
  const auto outcome = recover();
  EXPECT_THAT(outcome.promoted_because, HasSubstr("subtransactions"));
  EXPECT_EQ(to_text(outcome.replayed), "0/3000000");
  EXPECT_TRUE(outcome.end.has_value());
}

// PostgreSQL promotes itself at a target where it could not pause.
TEST_F(RecoveryTest, MayHaveBeenPromotedAtItsTarget) {
  pause_at({.type = TargetType::name, .name = "n"}, "LOG:  recovery stopping at restore point");
  server_.on("pg_last_wal_replay_lsn()",
             ScriptedServer::row({"0/3000000", std::nullopt, "promoted"}));
  EXPECT_THAT(recover().promoted_because, HasSubstr("subtransactions"));
}

TEST_F(RecoveryTest, AServerThatMakesNoProgressIsNotWaitedFor) {
  postgres_.on_start({.log = {"LOG:  starting"},
                      .before_log = [this] { request("000000010000000000000002 0\n"); }});
  progress_limit_ = milliseconds(1);
  const auto error = error_of([&] { recover(); });
  EXPECT_EQ(error.code(), FindingCode::replay_slow);
  EXPECT_THAT(error.what(), HasSubstr("000000010000000000000002"));
}

TEST_F(RecoveryTest, LatestIsNotPausedWhileWalStillArrives) {
  int looks = 0;
  server_.on_call("pg_last_wal_replay_lsn()", [&](const auto&) {
    EXPECT_TRUE(looks >= 2 || !paused_) << "replay was paused before the end of the archive";
    if (++looks == 2) request(end_of_archive);
    return ScriptedServer::row({"0/3000000", std::nullopt, paused_ ? "t" : "f"});
  });
  postgres_.on_start({.log = {consistent, FakePostgres::ready},
                      .before_log = [this] { request("000000010000000000000002 0\n"); }});
  EXPECT_EQ(recover().last_transaction, std::nullopt);
  EXPECT_GE(looks, 3);
}

TEST_F(RecoveryTest, ReplayOfDropDatabaseEndsASessionAndNotTheRecovery) {
  server_.on("pg_last_wal_replay_lsn()",
             {ScriptedServer::Lost{"FATAL:  terminating connection due to conflict with recovery"},
              ScriptedServer::row({"0/3000000", std::nullopt, "t"})});
  postgres_.on_start({.log = {consistent, FakePostgres::ready},
                      .before_log = [this] { request(end_of_archive); }});
  EXPECT_EQ(to_text(recover().replayed), "0/3000000");
  EXPECT_GE(server_.connections().size(), 2U);
}

TEST_F(RecoveryTest, AnEarlierServerIsAskedWithItsOwnFunctions) {
  server_.set_version(130010);
  recover();
  EXPECT_THAT(server_.statements(), Contains(HasSubstr("pg_is_wal_replay_paused()")));
  EXPECT_THAT(server_.statements(), Not(Contains(HasSubstr("pg_get_wal_replay_pause_state"))));
}

TEST_F(RecoveryTest, ReportsTheShareOfTheWalThatIsReplayed) {
  recover();
  ASSERT_FALSE(progress_.empty());
  const double from = 0x2000060;  // the checkpoint of pg_control
  EXPECT_DOUBLE_EQ(progress_.front(), (0x3000000 - from) / (0x4000000 - from));
}

TEST_F(RecoveryTest, SetsTheRestoredSettingsAsideAndWrapsArchiveGet) {
  recover();
  EXPECT_EQ(sandbox_.read_file("/sandbox/configuration/restored.auto.conf", 0),
            "work_mem = '1GB'\n");
  EXPECT_THAT(sandbox_.read_file("/sandbox/data/postgresql.auto.conf", 0),
              Not(HasSubstr("work_mem")));
  EXPECT_THAT(sandbox_.read_file("/sandbox/configuration/archive-get", 0),
              HasSubstr("'archive-get' \"$1\" \"$2\""));
  EXPECT_THAT(settings_of_start(0), HasSubstr("/sandbox/configuration/archive-get"));
}

TEST_F(RecoveryTest, ATargetIsReachedWhenTheServerIsPausedThere) {
  pause_at({.type = TargetType::lsn, .lsn = Lsn{0x3000000}, .exclusive = true},
           "LOG:  recovery stopping before WAL location (LSN) \"0/3000000\"");
  const auto outcome = recover();
  EXPECT_EQ(outcome.stopped_at, "recovery stopping before WAL location (LSN) \"0/3000000\"");
  EXPECT_THAT(settings_of_start(0), AllOf(HasSubstr("recovery_target_lsn"), HasSubstr("0/3000000"),
                                          HasSubstr("recovery_target_inclusive")));
  EXPECT_THAT(server_.statements(), Not(Contains(HasSubstr("pg_wal_replay_pause()"))));
}

TEST_F(RecoveryTest, AMissingStopLineIsNotWaitedForForEver) {
  pause_at({.type = TargetType::name, .name = "before upgrade"}, "LOG:  something else");
  EXPECT_EQ(recover().stopped_at, "");
  EXPECT_THAT(settings_of_start(0), HasSubstr("recovery_target_name = 'before upgrade'"));
}

TEST_F(RecoveryTest, StartsAgainWithTheSettingsThatProductionRaised) {
  postgres_.programs.on({"pg_controldata"}, Script::success(FakePostgres::control_data(250)));
  postgres_.on_starts({{.log = {settings_too_low}, .ends = CommandResult{.exit_code = 1}},
                       {.log = {consistent, FakePostgres::ready},
                        .before_log = [this] { request(end_of_archive); }}});
  const auto outcome = recover();
  EXPECT_EQ(postgres_.starts().size(), 2U);
  EXPECT_EQ(outcome.control.max_connections, 250);
  EXPECT_THAT(postgres_.starts().at(0).arguments, Contains("max_connections=100"));
  EXPECT_THAT(postgres_.starts().at(1).arguments, Contains("max_connections=250"));
}

TEST_F(RecoveryTest, GivesUpWhenTheSettingsDoNotGrow) {
  postgres_.programs.on({"pg_controldata"}, Script::success(FakePostgres::control_data()));
  postgres_.on_start({.log = {settings_too_low}, .ends = CommandResult{.exit_code = 1}});
  EXPECT_EQ(error_of([&] { recover(); }).kind(), ErrorKind::startup);
  EXPECT_EQ(postgres_.starts().size(), 1U);
}

TEST_F(RecoveryTest, GivesUpWhenTheSettingsGrowForEver) {
  int connections = 100;
  postgres_.programs.on_call({"pg_controldata"}, [&](const Command&) {
    return Script::success(FakePostgres::control_data(++connections));
  });
  postgres_.on_start({.log = {settings_too_low}, .ends = CommandResult{.exit_code = 1}});
  EXPECT_EQ(error_of([&] { recover(); }).kind(), ErrorKind::startup);
  EXPECT_EQ(postgres_.starts().size(), 6U);
}

TEST_F(RecoveryTest, AServerThatEndsIsExplainedByItsLog) {
  postgres_.on_start({.log = {"FATAL:  could not locate a valid checkpoint record"},
                      .ends = CommandResult{.exit_code = 1}});
  const auto error = error_of([&] { recover(); });
  EXPECT_EQ(error.kind(), ErrorKind::recovery);
  EXPECT_EQ(error.code(), FindingCode::wal_missing);
}

TEST_F(RecoveryTest, AServerThatEndsDuringAStatementIsExplainedByItsLog) {
  server_.on_call("pg_last_wal_replay_lsn()", [this](const auto&) {
    postgres_.log("FATAL:  could not restore file \"x\" from archive");
    postgres_.log("PANIC:  WAL contains references to invalid pages");
    postgres_.end({.exit_code = 1});
    return ScriptedServer::Lost{};
  });
  EXPECT_EQ(error_of([&] { recover(); }).code(), FindingCode::wal_invalid_pages);
}

TEST_F(RecoveryTest, AFailedStatementOfARunningServerIsReportedAsItIs) {
  server_.on("pg_last_wal_replay_lsn()",
             ScriptedServer::Failure{"57P03", "the database system is shutting down"});
  const auto error = error_of([&] { recover(); });
  EXPECT_EQ(error.kind(), ErrorKind::recovery);
  EXPECT_STREQ(error.what(), "the database system is shutting down");
}

TEST_F(RecoveryTest, AServerKilledBySignal9IsTheEnvironmentsFault) {
  const CommandResult killed{.signal = SIGKILL};
  postgres_.on_start({.log = {"LOG:  starting"}, .ends = killed});
  EXPECT_EQ(error_of([&] { recover(); }).code(), FindingCode::env_killed);
  postgres_.on_start({.log = {"FATAL:  terminating connection due to unexpected postmaster exit"},
                      .ends = killed});
  EXPECT_EQ(error_of([&] { recover(); }).code(), FindingCode::env_killed);
  postgres_.on_start(
      {.log = {"FATAL:  could not locate a valid checkpoint record"}, .ends = killed});
  EXPECT_EQ(error_of([&] { recover(); }).code(), FindingCode::wal_missing);
}

TEST_F(RecoveryTest, AStandbyThatLacksTheWalOfItsConsistencyIsGivenUp) {
  postgres_.on_start(
      {.log = {"LOG:  starting"}, .before_log = [this] { request(end_of_archive); }});
  auto error = error_of([&] { recover(); });
  EXPECT_EQ(error.kind(), ErrorKind::recovery);
  EXPECT_EQ(error.code(), FindingCode::wal_missing);
  EXPECT_EQ(error.object(), "000000010000000000000004");
  EXPECT_THAT(error.what(), HasSubstr("20261120-010000F"));
}

TEST_F(RecoveryTest, AStandbyThatCannotReplayASegmentThatIsThereSaysSo) {
  postgres_.on_start({.log = {"LOG:  starting"}, .before_log = [this] {
                        std::string requests;
                        for (int i = 0; i < 5; ++i) requests += "000000010000000000000002 0\n";
                        request(requests);
                      }});
  const auto error = error_of([&] { recover(); });
  EXPECT_EQ(error.code(), FindingCode::wal_damaged);
  EXPECT_EQ(error.object(), "000000010000000000000002");
}

TEST_F(RecoveryTest, AConsistentServerThatIsSlowToOpenIsWaitedFor) {
  postgres_.on_start({.log = {consistent}, .before_log = [this] { request(end_of_archive); }});
  std::jthread opens_late([this] {
    std::this_thread::sleep_for(milliseconds(150));
    postgres_.log(FakePostgres::ready);
  });
  EXPECT_EQ(to_text(recover().replayed), "0/3000000");
}

TEST_F(RecoveryTest, AReplayThatTakesTooLongIsGivenUp) {
  deadline_ = milliseconds(1);
  postgres_.on_start({.log = {"LOG:  starting"}});
  const auto error = error_of([&] { recover(); });
  EXPECT_EQ(error.kind(), ErrorKind::recovery);
  EXPECT_EQ(error.code(), FindingCode::replay_slow);
}

TEST_F(RecoveryTest, AStopRequestInterrupts) {
  std::stop_source stop;
  server_.on_call("pg_last_wal_replay_lsn()", [&](const auto&) {
    stop.request_stop();
    return ScriptedServer::Silence{};
  });
  EXPECT_EQ(error_of([&] { recover(stop.get_token()); }).kind(), ErrorKind::interrupted);
  EXPECT_EQ(server_.cancelled(), 1);
}

TEST_F(RecoveryTest, APositionOnTheWayLimitsTheWal) {
  until_ = Lsn{0x3000000};
  const auto outcome = recover();
  EXPECT_EQ(sandbox_.read_file("/sandbox/wal/limit", 0), "0000000000000003 0 16777216\n");
  EXPECT_EQ(outcome.gave_up, std::nullopt);
  EXPECT_TRUE(paused_);
}

TEST_F(RecoveryTest, WithoutMoreWalTheConfirmationOfThePauseIsNotWaitedFor) {
  until_ = Lsn{0x3000020};
  replayed_ = "0/3000020";
  sandbox_.write_file("/sandbox/wal/given", "0000000000000003 32\n", 0600);
  server_.on_call("pg_wal_replay_pause()", [this](const auto&) {
    pause_requested_ = true;
    return ScriptedServer::row({""});
  });
  EXPECT_EQ(to_text(recover().replayed), "0/3000020");
  EXPECT_TRUE(pause_requested_);
  EXPECT_FALSE(paused_);
}

TEST_F(RecoveryTest, WhileASegmentIsStillToComeItIsWaitedFor) {
  for (const auto* given : {"", "0000000000000003 3\n", "0000000000000002 32\n"}) {
    until_ = Lsn{0x3000020};
    replayed_ = "0/3000020";
    paused_ = false;
    polls_ = 0;
    sandbox_.write_file("/sandbox/wal/given", given, 0600);
    instance_.emplace(sandbox_, directory_ / "postgresql.log");
    recover();
    EXPECT_EQ(polls_, 2) << given << ": one before the pause, one that confirms it";
  }
}

TEST_F(RecoveryTest, PastThePositionItIsWaitedFor) {
  until_ = Lsn{0x2FFFF00};
  EXPECT_EQ(to_text(recover().replayed), "0/3000000");
  EXPECT_TRUE(paused_);
  EXPECT_EQ(polls_, 2) << "one before the pause, one that confirms it";
}

TEST_F(RecoveryTest, SegmentsOfAnotherSandboxAreSuppliedFirst) {
  auto other = std::make_unique<ScriptedSandbox>(postgres_, "/other");
  other->write_file("/other/wal/000000010000000000000002", "WAL", 0600);
  fetched_ = {.sandbox = std::move(other), .segments = {"000000010000000000000002"}};
  recover();
  EXPECT_EQ(sandbox_.read_file("/sandbox/wal/whole.000000010000000000000002", 0), "WAL");
}

TEST_F(RecoveryTest, WithoutAPositionTheWalIsNotLimited) {
  sandbox_.write_file("/sandbox/wal/limit", "0000000000000003 0 16777216\n", 0600);
  recover();
  EXPECT_EQ(sandbox_.read_file("/sandbox/wal/limit", 0), "");
}

TEST_F(RecoveryTest, APositionWhoseWalDoesNotArriveIsGivenUp) {
  until_ = Lsn{0x5000028};
  const auto outcome = recover();
  ASSERT_TRUE(outcome.gave_up.has_value());
  EXPECT_THAT(*outcome.gave_up, HasSubstr("000000010000000000000004"));
  EXPECT_FALSE(paused_) << "recovery goes on from here";
}

TEST_F(RecoveryTest, APositionAtWhichTheServerTakesNoConnectionsIsGivenUp) {
  until_ = Lsn{0x3000000};
  postgres_.on_start({.log = {consistent}, .before_log = [this] {
                        sandbox_.write_file("/sandbox/wal/given", "0000000000000003 0", 0600);
                      }});
  EXPECT_THAT(recover().gave_up.value_or(""), HasSubstr("does not accept connections"));
  EXPECT_THAT(server_.statements(), IsEmpty());
}

TEST_F(RecoveryTest, AStandbyGoesOnWithoutANewStart) {
  pause_on_the_way();
  EXPECT_EQ(to_text(recover().replayed), "0/3FFFF00");
  EXPECT_EQ(postgres_.starts().size(), 1U);
  EXPECT_THAT(server_.statements(), Contains("select pg_wal_replay_resume(), pg_reload_conf()"));
  EXPECT_EQ(server_.connections().size(), 1U) << "one session watches the whole replay";
}

TEST_F(RecoveryTest, AStandbyGoesOnAfterItsSessionWasLostDuringThePause) {
  pause_on_the_way();
  bool lost = false;
  server_.on_call("pg_wal_replay_resume()", [&](const auto&) -> ScriptedServer::Answer {
    if (!std::exchange(lost, true)) return ScriptedServer::Lost{};
    paused_ = false;
    request(std::string(end_of_archive) + std::string(end_of_archive));
    return ScriptedServer::row({""});
  });
  EXPECT_EQ(to_text(recover().replayed), "0/3FFFF00");
  EXPECT_EQ(postgres_.starts().size(), 1U);
  EXPECT_EQ(server_.connections().size(), 2U);
}

TEST_F(RecoveryTest, ATargetAfterAnotherNeedsANewStart) {
  pause_at({.type = TargetType::lsn, .lsn = Lsn{0x3000000}}, "LOG:  recovery stopping after x");
  resume_from_ = recover().replayed;
  target_.lsn = Lsn{0x3FFFF00};
  replayed_ = "0/3FFFF00";
  EXPECT_EQ(to_text(recover().replayed), "0/3FFFF00");
  EXPECT_EQ(postgres_.starts().size(), 2U);
  EXPECT_EQ(postgres_.controls().at(0).arguments.front(), "stop");
  EXPECT_EQ(sandbox_.read_file("/sandbox/configuration/restored.auto.conf", 0),
            "work_mem = '1GB'\n")
      << "the restored settings were set aside twice";
}

}  // namespace
}  // namespace pgrehearse
