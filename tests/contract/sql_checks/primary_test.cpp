#include "harness/primary/primary.hpp"

#include <filesystem>
#include <fstream>

#include "harness/primary/archiver_status.hpp"
#include "harness/primary/primary_counts.hpp"
#include "harness/primary/primary_state.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;

class PrimaryTest : public SqlCheckTest {};

TEST_F(PrimaryTest, CannotWriteAndHasALimitForEverything) {
  const Primary primary(primary_cluster().dsn());
  auto connection = primary.connect("postgres", {});
  try {
    connection.query("create table written (id integer)");
    FAIL() << "the primary was written";
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "25006");
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
  const auto setting = [&](const std::string& name) {
    return connection.query("select current_setting('" + name + "')").text(0, 0);
  };
  EXPECT_EQ(setting("lock_timeout"), "2s");
  EXPECT_EQ(setting("statement_timeout"), "30min");
  EXPECT_EQ(setting("idle_in_transaction_session_timeout"), "1min");
  EXPECT_EQ(setting("row_security"), "off");
  EXPECT_EQ(setting("application_name"), "pgrehearse");
}

TEST_F(PrimaryTest, IsNotDisconnectedWhileItWaits) {
  auto superuser = primary_cluster().connect("postgres");
  if (superuser.server_version() < 140000) GTEST_SKIP() << "no idle_session_timeout before 14";
  superuser.query("alter role postgres set idle_session_timeout = '10s'");
  const Primary primary(primary_cluster().dsn());
  auto connection = primary.connect("postgres", {});
  EXPECT_EQ(connection.query("show idle_session_timeout").text(0, 0), "0");
  superuser.query("alter role postgres reset idle_session_timeout");
}

TEST_F(PrimaryTest, KeepsTheOptionsOfTheDsn) {
  const Primary primary(primary_cluster().dsn() + " options='-c work_mem=7MB'");
  auto connection = primary.connect({}, {});
  EXPECT_EQ(connection.query("select current_setting('work_mem')").text(0, 0), "7MB");
}

TEST_F(PrimaryTest, TellsTheNewestCommitOnlyWhereItIsTracked) {
  const Primary primary(primary_cluster().dsn());
  primary_cluster().create_database();
  const auto newest = primary.newest_commit({});
  ASSERT_TRUE(newest);
  EXPECT_LT(std::chrono::abs(*newest - std::chrono::system_clock::now()), std::chrono::minutes(1));
  EXPECT_EQ(Primary(copy_cluster().dsn()).newest_commit({}), std::nullopt);
}

TEST_F(PrimaryTest, KnowsWhetherACopyHasEveryCommit) {
  const Primary primary(primary_cluster().dsn());
  const auto has_all = [&](Connection& copy) {
    auto server = primary.connect({}, {});
    return has_all_commits(copy, server, read_primary_state(primary, {}));
  };
  // What a transaction sees stays as it is: like a copy.
  const auto copy_now = [] {
    auto copy = primary_cluster().connect("postgres");
    copy.query("begin isolation level repeatable read");
    copy.query("select txid_current_snapshot()");
    return copy;
  };
  auto running = primary_cluster().connect("postgres");
  running.query("begin");
  running.query("select txid_current()");
  auto copy = copy_now();
  EXPECT_EQ(has_all(copy), true);
  auto rolled_back = primary_cluster().connect("postgres");
  rolled_back.query("begin");
  rolled_back.query("select txid_current()");
  rolled_back.query("rollback");
  EXPECT_EQ(has_all(copy), true);
  running.query("commit");
  EXPECT_EQ(has_all(copy), false);
  copy = copy_now();
  EXPECT_EQ(has_all(copy), true);
}

TEST_F(PrimaryTest, SeesSegmentsThatWaitToBeArchived) {
  namespace fs = std::filesystem;
  const Primary primary(primary_cluster().dsn());
  const auto waiting = [&] { return read_archiver(primary, {}).waiting.value(); };
  EXPECT_EQ(waiting().count, 0U);
  const auto status = primary_cluster().data() / "pg_wal/archive_status";
  const auto ready = status / "0000000100000000000000FF.ready";
  std::ofstream(ready) << "";
  std::ofstream(status / "0000000100000000000000FE.done") << "";
  fs::last_write_time(ready, fs::last_write_time(ready) - std::chrono::hours(1));
  EXPECT_EQ(waiting().count, 1U);
  EXPECT_EQ(waiting().oldest, "0000000100000000000000FF");
  EXPECT_GE(waiting().oldest_age, std::chrono::minutes(59));
  fs::remove(ready);
  fs::remove(status / "0000000100000000000000FE.done");
}

TEST_F(PrimaryTest, ListsDatabasesThatAllowConnections) {
  const auto databases = Primary(primary_cluster().dsn()).databases({});
  EXPECT_THAT(databases, Contains("postgres"));
  EXPECT_THAT(databases, testing::Not(Contains("template0")));
}

TEST_F(PrimaryTest, ACountThatIsGivenUpCancelsItsStatement) {
  const Primary primary(primary_cluster().dsn(), {.lock = std::chrono::minutes(5)});
  const auto database = primary_cluster().create_database();
  primary_cluster().execute(database, {"create table blocked (id integer)"});
  auto blocker = primary_cluster().connect(database);
  blocker.query("begin");
  blocker.query("lock table public.blocked in access exclusive mode");
  PrimaryCounts counts(primary, {});
  counts.start();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(counts.get(stop.get_token()), Error);
}

}  // namespace
}  // namespace pgrehearse
