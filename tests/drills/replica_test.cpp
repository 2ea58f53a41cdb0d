// Standbys that stream from a real primary, and are thrown away.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "harness/common/poll_until.hpp"
#include "harness/process/process_table.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/drills/live_drill.hpp"

namespace pgrehearse {
namespace {

// What the primary shows of its standbys while a drill runs.
class PrimaryWatch {
 public:
  explicit PrimaryWatch(const Laboratory& primary)
      : thread_([this, connection =
                           primary.connect("postgres", {})](const std::stop_token& stop) mutable {
          while (!stop.stop_requested()) {
            const auto rows = connection.query(
                "select application_name, backend_xmin, (select count(*) from "
                "pg_replication_slots) from pg_stat_replication");
            most_senders = std::max(most_senders, rows.rows.size());
            for (std::size_t row = 0; row < rows.rows.size(); ++row) {
              names.insert(rows.text(row, 0));
              feedback = feedback || rows.rows[row][1].has_value();
              slots = slots || rows.text(row, 2) != "0";
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}
  void end() {
    thread_.request_stop();
    thread_.join();
  }

  std::set<std::string> names;
  std::size_t most_senders = 0;
  bool feedback = false;
  bool slots = false;

 private:
  std::jthread thread_;
};

class Replica : public DrillTest {
 protected:
  static constexpr const char* checks =
      "checks:\n  - replica: { allow_replica: true, timeout: 2min }\n  - page_checksums\n";

  std::unique_ptr<Laboratory> primary_with_backup() {
    auto own = make_laboratory();
    own->connect("postgres", {})
        .query("create table public.t as select generate_series(1, 1000) n");
    own->back_up(BackupType::full, {});
    own->switch_wal_and_wait({});
    return own;
  }

  // The primary writes eight segments and removes those that it no longer needs: a checkpoint
  // keeps a segment that the archiver has not yet archived.
  static void advance_wal(Laboratory& primary) {
    auto sql = primary.connect("postgres", {});
    const auto first = sql.query("select pg_walfile_name(pg_current_wal_lsn())").text(0, 0);
    sql.query("alter system set min_wal_size = '32MB'");
    sql.query("alter system set max_wal_size = '32MB'");
    primary.reload({});
    for (int segment = 0; segment < 8; ++segment) {
      sql.query("create table public.x" + std::to_string(segment) + " as select 1");
      sql.query("select pg_switch_wal()");
    }
    ASSERT_TRUE(poll_until(
        std::chrono::steady_clock::now() + std::chrono::minutes(2), std::chrono::milliseconds(200),
        {},
        [&] {
          sql.query("checkpoint");
          return sql.query("select from pg_ls_waldir() where name = '" + first + "'").rows.empty();
        }))
        << first << " was not removed";
  }

  static const Finding* only_finding(const DrillRun& run) {
    const auto* check = run.check("replica");
    return check != nullptr && check->findings.size() == 1 ? &check->findings.front() : nullptr;
  }

  static std::size_t senders(const Laboratory& primary) {
    return primary.connect("postgres", {}).query("select from pg_stat_replication").rows.size();
  }
};

TEST_F(Replica, StandbyCatchesUpWithThePrimaryAndIsThrownAway) {
  const auto own = primary_with_backup();
  auto sql = own->connect("postgres", {});
  sql.query("alter role pgrehearse replication");
  // First from the archive alone, then from the primary alone.
  advance_wal(*own);
  own->switch_wal_and_wait({});
  sql.query("insert into public.t select generate_series(1, 1000)");
  const auto slots_before =
      own->connect("postgres", {}).query("select from pg_replication_slots").rows.size();
  PrimaryWatch watch(*own);
  const auto run = run_scenario(own->scenario_text("replica", checks));
  watch.end();
  EXPECT_EQ(run.exit_code, 0) << run.text() << run.findings();
  const auto* check = run.check("replica");
  ASSERT_NE(check, nullptr) << run.text();
  EXPECT_EQ(check->verdict, Verdict::pass) << run.findings();
  EXPECT_NE(check->summary.find("streaming after"), std::string::npos) << check->summary;
  EXPECT_EQ(run.check("page_checksums")->verdict, Verdict::pass);

  EXPECT_EQ(watch.most_senders, 1U);
  ASSERT_EQ(watch.names.size(), 1U);
  EXPECT_TRUE(watch.names.begin()->starts_with("pgrehearse-")) << *watch.names.begin();
  EXPECT_FALSE(watch.slots) << "a replication slot was created";
  EXPECT_FALSE(watch.feedback) << "the standby held back VACUUM";
  EXPECT_EQ(slots_before, 0U);
  EXPECT_TRUE(poll_until(std::chrono::steady_clock::now() + std::chrono::minutes(1),
                         std::chrono::milliseconds(50), {}, [&] { return senders(*own) == 0; }));
  expect_nothing_left();
}

TEST_F(Replica, RefusedConnectionIsUnknown) {
  const auto own = primary_with_backup();
  const auto run = run_scenario(own->scenario_text("refused", checks));
  EXPECT_EQ(run.exit_code, 2) << run.text();
  const auto* finding = only_finding(run);
  ASSERT_NE(finding, nullptr) << run.findings();
  EXPECT_EQ(finding->code, FindingCode::replica_refused);
  EXPECT_NE(finding->message.find("replication"), std::string::npos) << finding->message;
  EXPECT_EQ(senders(*own), 0U);
  expect_nothing_left();
}

// Neither the archive nor the primary has the WAL that follows the archive's end.
TEST_F(Replica, WalThatIsNowhereIsReported) {
  const auto own = primary_with_backup();
  auto sql = own->connect("postgres", {});
  sql.query("alter role pgrehearse replication");
  sql.query("alter system set archive_command = '/bin/true'");
  advance_wal(*own);
  const auto run = run_scenario(
      own->scenario_text("removed", "checks: [replica: { allow_replica: true, timeout: 2min }]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  const auto* finding = only_finding(run);
  ASSERT_NE(finding, nullptr) << run.findings();
  EXPECT_EQ(finding->code, FindingCode::replica_stream);
  EXPECT_NE(finding->message.find("has already been removed"), std::string::npos)
      << finding->message;
  expect_nothing_left();
}

TEST_F(Replica, InterruptedWithAStandbyLeavesNothing) {
  // Refused connections: the standby runs for some time.
  const auto own = primary_with_backup();
  const auto file = scratch / "interrupted.yaml";
  std::ofstream(file) << own->scenario_text(
      "interrupted", "checks: [replica: { allow_replica: true, timeout: 2min }]\n");
  LiveDrill drill(file, state);
  ASSERT_TRUE(drill.wait_for("stop: ")) << drill.seen();
  const auto runs = [&] {
    std::error_code gone;
    return std::ranges::any_of(all_processes(), [&](const auto& process) {
      const auto place =
          std::filesystem::read_symlink("/proc/" + std::to_string(process.pid) + "/cwd", gone);
      return process.name == "postgres" && place.native().ends_with("/replica/data");
    });
  };
  EXPECT_TRUE(poll_until(std::chrono::steady_clock::now() + std::chrono::minutes(1),
                         std::chrono::milliseconds(20), {}, runs));
  EXPECT_EQ(drill.end(SIGTERM), 130) << drill.seen();
  expect_nothing_left();
}

TEST_F(Replica, WithoutConsentTheScenarioIsRefused) {
  for (const auto* setting : {"replica", "replica: { allow_replica: false }"}) {
    const auto run = run_scenario(scenario(std::string("checks: [") + setting + "]\n"));
    EXPECT_EQ(run.exit_code, 3) << run.text();
    EXPECT_NE(run.error_output.find("replica: { allow_replica: true }"), std::string::npos)
        << run.text();
  }
}

}  // namespace
}  // namespace pgrehearse
