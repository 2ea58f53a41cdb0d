#include "harness/sandbox/instance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <latch>
#include <sstream>

#include "tests/fakes/fake_postgres.hpp"
#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/fakes/scripted_server.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Script = ScriptedCommandRunner;

class InstanceTest : public testing::Test {
 protected:
  InstanceTest() {
    std::string pattern = testing::TempDir() + "pgr-instance-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    log_ = directory_ / "postgresql.log";
  }
  ~InstanceTest() override { std::filesystem::remove_all(directory_); }

  void start(Instance& instance) {
    instance.start({.postgresql_conf = "fsync = off\n",
                    .hba = "local all\n",
                    .ident = "map\n",
                    .command_line = {{"archive_mode", "off"}, {"listen_addresses", "it's"}}});
  }
  void start_and_wait(Instance& instance) {
    start(instance);
    ASSERT_TRUE(instance.wait_until_accepting(minutes(1), {}));
  }
  [[nodiscard]] std::string logged() const {
    std::ostringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }
  static std::stop_token stopped() {
    std::stop_source source;
    source.request_stop();
    return source.get_token();
  }

  std::filesystem::path directory_;
  std::filesystem::path log_;
  ScriptedServer server_;
  FakePostgres postgres_;
  ScriptedSandbox sandbox_{postgres_};
};

TEST_F(InstanceTest, ReadsPgControlInTheSandbox) {
  postgres_.programs.on({"pg_controldata", "/sandbox/data"},
                        Script::success(FakePostgres::control_data(250)));
  EXPECT_EQ(read_control_data(sandbox_, "/sandbox/data", {}).max_connections, 250);
  EXPECT_EQ(postgres_.programs.commands().front().environment.at("LC_ALL"), "C");
}

TEST_F(InstanceTest, AnUnreadablePgControlIsARepositoryError) {
  postgres_.programs.on({"pg_controldata"}, Script::failure(1, "could not open file"));
  const auto error = error_of([&] { read_control_data(sandbox_, "/sandbox/data", {}); });
  EXPECT_EQ(error.kind(), ErrorKind::repository);
  EXPECT_EQ(error.object(), "global/pg_control");
  EXPECT_THAT(error.what(), HasSubstr("could not open file"));
  EXPECT_EQ(error_of([&] { read_control_data(sandbox_, "/sandbox/data", stopped()); }).kind(),
            ErrorKind::interrupted);
}

TEST_F(InstanceTest, StartWritesTheConfigurationAndOverridesItOnTheCommandLine) {
  Instance instance(sandbox_, log_);
  EXPECT_FALSE(instance.running());
  start_and_wait(instance);
  EXPECT_TRUE(instance.running());
  EXPECT_EQ(instance.ended(), std::nullopt);
  EXPECT_EQ(sandbox_.read_file("/sandbox/configuration/postgresql.conf", 0), "fsync = off\n");
  EXPECT_EQ(sandbox_.read_file("/sandbox/configuration/pg_hba.conf", 0), "local all\n");
  EXPECT_EQ(sandbox_.read_file("/sandbox/configuration/pg_ident.conf", 0), "map\n");
  EXPECT_THAT(
      postgres_.starts().front().arguments,
      ElementsAre("-D", "/sandbox/data", "-c", "archive_mode=off", "-c", "listen_addresses=it's"));
}

TEST_F(InstanceTest, WaitingEndsWhenTheServerEnds) {
  postgres_.on_start({.log = {"FATAL:  data directory has wrong ownership"},
                      .ends = CommandResult{.exit_code = 1}});
  Instance instance(sandbox_, log_);
  start(instance);
  EXPECT_FALSE(instance.wait_until_accepting(minutes(1), {}));
  EXPECT_FALSE(instance.running());
  EXPECT_EQ(instance.ended()->exit_code, 1);
}

TEST_F(InstanceTest, WaitingEndsAtTheDeadlineAndOnAStopRequest) {
  postgres_.on_start({.log = {"LOG:  starting"}});
  Instance instance(sandbox_, log_);
  start(instance);
  EXPECT_FALSE(instance.wait_until_accepting(milliseconds(1), {}));
  EXPECT_TRUE(instance.running());
  EXPECT_EQ(error_of([&] { instance.wait_until_accepting(minutes(1), stopped()); }).kind(),
            ErrorKind::interrupted);
}

TEST_F(InstanceTest, StartFailureQuotesTheServerLog) {
  struct NoProgram : CommandRunner {
    CommandResult run(const Command&, std::stop_token) override {
      throw Error(ErrorKind::environment, "no program 'postgres'");
    }
  } runner;
  ScriptedSandbox sandbox(runner);
  Instance instance(sandbox, log_);
  start(instance);
  EXPECT_FALSE(instance.wait_until_accepting(minutes(1), {}));
  EXPECT_THAT(instance.log_lines(), ElementsAre("FATAL:  no program 'postgres'"));
}

TEST_F(InstanceTest, TheLogIsKeptInMemoryAndInItsFile) {
  postgres_.on_start({.log = {"LOG:  starting", FakePostgres::ready}});
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  postgres_.log("LOG:  restored log file");
  EXPECT_THAT(instance.log_lines(),
              ElementsAre("LOG:  starting", FakePostgres::ready, "LOG:  restored log file"));
  EXPECT_EQ(logged(),
            std::string("LOG:  starting\n") + FakePostgres::ready + "\nLOG:  restored log file\n");
  EXPECT_EQ(instance.log_file(), log_);
}

TEST_F(InstanceTest, ALogThatCannotBeWrittenIsIncomplete) {
  for (const auto* file : {"/dev/full", "/nonexistent/postgresql.log"}) {
    Instance instance(sandbox_, file);
    EXPECT_TRUE(instance.log_complete());
    start_and_wait(instance);
    EXPECT_FALSE(instance.log_complete()) << file;
  }
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  EXPECT_TRUE(instance.log_complete());
}

TEST_F(InstanceTest, JustLoggedReadsTheNewestTwentyLinesOfThisStart) {
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  postgres_.log("LOG:  mark");
  for (int line = 0; line < 19; ++line) postgres_.log("LOG:  other");
  EXPECT_TRUE(instance.just_logged("mark"));
  postgres_.log("LOG:  other");
  EXPECT_FALSE(instance.just_logged("mark"));
  postgres_.log("LOG:  mark");
  instance.stop({});
  start_and_wait(instance);
  EXPECT_FALSE(instance.just_logged("mark")) << "it is of the start before";
}

TEST_F(InstanceTest, SettingsOfTheRestoredRolesDoNotReachASession) {
  Instance instance(sandbox_, log_);
  instance.connect("shop", ErrorKind::recovery, {});
  const auto parameters = server_.connections().at(0);
  EXPECT_EQ(parameters.at("host"), "/sandbox/sockets");
  EXPECT_EQ(parameters.at("dbname"), "shop");
  EXPECT_THAT(
      parameters.at("options"),
      AllOf(HasSubstr("-c session_preload_libraries= "), HasSubstr("-c zero_damaged_pages=off"),
            HasSubstr("-c role=none"), HasSubstr("-c session_replication_role=replica"),
            HasSubstr("-c lock_timeout=5s"),
            HasSubstr("-c default_transaction_isolation=read\\ committed")));
}

TEST_F(InstanceTest, MissingSuperuserAndMissingLocaleAreNamed) {
  Instance instance(sandbox_, log_);
  server_.refuse("FATAL:  role \"postgres\" does not exist");
  auto error = error_of([&] { instance.connect("shop", ErrorKind::recovery, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.code(), FindingCode::env_superuser);
  EXPECT_THAT(error.hint(), HasSubstr("sandbox.superuser"));
  server_.refuse(
      "FATAL:  database locale is incompatible with operating system\nDETAIL:  The database was "
      "initialized with LC_COLLATE \"de_XX.utf8\",  which is not recognized by setlocale().");
  error = error_of([&] { instance.connect("shop", ErrorKind::recovery, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.code(), FindingCode::env_locale);
  EXPECT_THAT(error.what(), HasSubstr("de_XX.utf8"));
}

TEST_F(InstanceTest, ARoleThatIsNoSuperuserIsNamed) {
  server_.on("data_directory", ScriptedServer::row({"", "t", "off", {}}));
  Instance instance(sandbox_, log_);
  EXPECT_EQ(error_of([&] { instance.connect("shop", ErrorKind::recovery, {}); }).code(),
            FindingCode::env_superuser);
}

TEST_F(InstanceTest, AnotherServerAtTheSocketIsRefused) {
  server_.on("data_directory", ScriptedServer::row({"/var/lib/postgresql/15/main", "f", "on", {}}));
  Instance instance(sandbox_, log_);
  const auto error = error_of([&] { instance.connect("shop", ErrorKind::recovery, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), HasSubstr("/var/lib/postgresql/15/main"));
}

TEST_F(InstanceTest, FailedConnectionHasTheRequestedErrorKind) {
  Instance instance(sandbox_, log_);
  server_.refuse("FATAL:  the database system is starting up");
  EXPECT_EQ(error_of([&] { instance.connect("shop", ErrorKind::startup, {}); }).kind(),
            ErrorKind::startup);
  server_.ignore();
  EXPECT_EQ(error_of([&] { instance.connect("shop", ErrorKind::startup, stopped()); }).kind(),
            ErrorKind::interrupted);
}

TEST_F(InstanceTest, ListsTheDatabasesThatAllowConnections) {
  server_.on("from pg_database where datallowconn and datconnlimit <> -2",
             ScriptedServer::rows({{"postgres"}, {"shop"}}));
  Instance instance(sandbox_, log_);
  EXPECT_THAT(instance.databases({}), ElementsAre("postgres", "shop"));
}

TEST_F(InstanceTest, PromotionClosesTheArchiveWakesReplayAndWaitsForItsEnd) {
  bool closed = false;
  std::latch flushed(1);
  server_.on_call("pg_promote", [&](const auto&) {
    closed = sandbox_.has_file(closed_archive_marker(sandbox_.paths()));
    return ScriptedServer::row({"t"});
  });
  server_.on("pg_wal_replay_resume", ScriptedServer::row({""}));
  server_.on("pg_is_in_recovery",
             {ScriptedServer::row({"t"}), ScriptedServer::row({"t"}), ScriptedServer::row({"f"})});
  server_.on("from pg_database", ScriptedServer::row({"postgres"}));
  server_.on("from pg_event_trigger", ScriptedServer::row({"alter event trigger x disable"}));
  server_.on("alter event trigger x disable", Rows{});
  server_.on_call("checkpoint", [&](const auto&) {
    flushed.count_down();
    return Rows{};
  });
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  instance.promote({});
  flushed.wait();
  EXPECT_TRUE(closed) << "replay could go past the landing";
  EXPECT_THAT(server_.statements(),
              ElementsAre("select pg_promote(false)", "select pg_wal_replay_resume()",
                          "select pg_is_in_recovery()", "select pg_is_in_recovery()",
                          "select pg_is_in_recovery()", HasSubstr("from pg_database"),
                          HasSubstr("from pg_event_trigger"), "alter event trigger x disable",
                          "checkpoint"));
}

TEST_F(InstanceTest, PromotionContinuesWhenReplayIsNotPaused) {
  server_.on("pg_promote", ScriptedServer::row({"t"}));
  server_.on("pg_wal_replay_resume",
             ScriptedServer::Failure{"55000", "recovery is not in progress"});
  server_.on("pg_is_in_recovery", ScriptedServer::row({"f"}));
  server_.on("from pg_database", ScriptedServer::row({"postgres"}));
  server_.on("from pg_event_trigger", Rows{});
  server_.on("checkpoint", Rows{});
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  EXPECT_NO_THROW(instance.promote({}));
}

TEST_F(InstanceTest, AStopRequestEndsThePromotion) {
  std::stop_source stop;
  server_.on("pg_promote", ScriptedServer::row({"t"}));
  server_.on("pg_wal_replay_resume", ScriptedServer::row({""}));
  server_.on_call("pg_is_in_recovery", [&](const auto&) {
    stop.request_stop();
    return ScriptedServer::row({"t"});
  });
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  EXPECT_EQ(error_of([&] { instance.promote(stop.get_token()); }).kind(), ErrorKind::interrupted);
  EXPECT_THAT(server_.statements(), Not(Contains("checkpoint")));
}

TEST_F(InstanceTest, StopIsAFastShutdown) {
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  instance.stop({});
  EXPECT_FALSE(instance.running());
  EXPECT_THAT(postgres_.controls().at(0).arguments,
              AllOf(Contains("stop"), Contains("/sandbox/data"), Contains("fast")));
  instance.stop({});
  EXPECT_EQ(postgres_.controls().size(), 1U) << "a stopped server was stopped again";
}

TEST_F(InstanceTest, AStopThatFailsIsAStartupError) {
  postgres_.pg_ctl = Script::failure(1, "server does not shut down");
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  const auto error = error_of([&] { instance.stop({}); });
  EXPECT_EQ(error.kind(), ErrorKind::startup);
  EXPECT_THAT(error.what(), HasSubstr("server does not shut down"));
  EXPECT_EQ(error_of([&] { instance.stop(stopped()); }).kind(), ErrorKind::interrupted);
}

TEST_F(InstanceTest, AKeptServerStartsAgainWithTheSameOptions) {
  Instance instance(sandbox_, log_);
  start_and_wait(instance);
  instance.leave_running();
  EXPECT_FALSE(instance.running()) << "the server of this process still runs";
  ASSERT_EQ(postgres_.controls().size(), 2U);
  EXPECT_THAT(postgres_.controls().at(1).arguments,
              AllOf(Contains("start"), Contains("/sandbox/logs/postgresql.log"),
                    Contains(HasSubstr("'-c' 'archive_mode=off'")),
                    Contains(EndsWith("'-c' 'wal_retrieve_retry_interval=1min'"))));
}

TEST_F(InstanceTest, TheDestructorEndsTheServer) {
  {
    Instance instance(sandbox_, log_);
    start_and_wait(instance);
    EXPECT_TRUE(postgres_.running());
  }
  EXPECT_FALSE(postgres_.running());
  EXPECT_THAT(postgres_.controls(), IsEmpty()) << "a clean shutdown would take its time";
}

}  // namespace
}  // namespace pgrehearse
