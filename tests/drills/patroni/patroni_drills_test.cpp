// A Patroni cluster as the primary: found by every connection method, followed across failovers,
// and its backups rehearsed across timeline switches. The tests depend on each other, in this
// order.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <memory>
#include <thread>

#include "harness/common/poll_until.hpp"
#include "harness/primary/primary.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/process/isolation.hpp"
#include "harness/report/report.hpp"
#include "harness/report/run_store.hpp"
#include "tests/drills/patroni/patroni_cluster.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

struct DrillResult {
  int exit_code = -1;
  std::string text;
  std::optional<Report> report;

  [[nodiscard]] const CheckRecord* check(std::string_view name) const {
    if (!report) return nullptr;
    for (const auto& record : report->checks) {
      if (record.name == name) return &record;
    }
    return nullptr;
  }
  [[nodiscard]] const Finding* finding(FindingCode code) const {
    if (!report) return nullptr;
    for (const auto& record : report->checks) {
      for (const auto& finding : record.findings) {
        if (finding.code == code) return &finding;
      }
    }
    return nullptr;
  }
};

// What the tests share; one cluster is enough.
struct Story {
  BoostCommandRunner runner;
  fs::path scratch;
  std::unique_ptr<TestPatroniCluster> cluster;
  std::string before_the_switch;  // a time when there were 1000 orders
};

class PatroniDrill : public testing::Test {
 protected:
  static std::unique_ptr<Story> story;

  static void SetUpTestSuite() {
    for (const auto* program : {"/usr/bin/patroni", "/usr/bin/etcd", "/usr/sbin/haproxy"}) {
      if (access(program, X_OK) != 0) return;
    }
    story = std::make_unique<Story>();
    std::string scratch = "/var/tmp/pgrehearse-patroni-XXXXXX";
    if (mkdtemp(scratch.data()) == nullptr) throw std::runtime_error("cannot make " + scratch);
    fs::permissions(scratch, fs::perms(0755));
    story->scratch = scratch;
    story->cluster =
        std::make_unique<TestPatroniCluster>(story->scratch / "cluster", story->runner);
    story->cluster->start();
    story->cluster->create_stanza();
    sql("create database shop");
    sql("create role pgrehearse login bypassrls");
    sql("grant pg_read_all_data, pg_monitor to pgrehearse");
    sql("create table public.orders (id integer primary key, note text)", "shop");
    sql("create table public.payments (id integer primary key, order_id integer)", "shop");
    story->cluster->back_up();
    // A target must lie a whole second after the end of the backup.
    const auto backed_up = std::stoll(sql("select extract(epoch from now())::bigint"));
    wait_until("the next second", [&] {
      return std::stoll(sql("select extract(epoch from now())::bigint")) > backed_up + 1;
    });
    sql("insert into public.orders select n, 'early ' || n from generate_series(1, 1000) n",
        "shop");
    sql("insert into public.payments select n, n from generate_series(1, 500) n", "shop");
    story->before_the_switch = sql("select clock_timestamp()");
    sql("insert into public.orders values (1001, 'after the first point in time')", "shop");
    story->cluster->switch_wal_and_wait(story->cluster->leader());
  }

  static void TearDownTestSuite() {
    if (!story) return;
    story->cluster.reset();
    if (testing::UnitTest::GetInstance()->current_test_suite()->Failed()) {
      std::cerr << "left for you to look at: " << story->scratch << '\n';
    } else {
      fs::remove_all(story->scratch);
    }
    story.reset();
  }

  void SetUp() override {
    static_cast<void>(require_or_skip(story ? "" : "patroni, etcd or haproxy is missing"));
  }

  void TearDown() override {
    if (HasFailure() && story) std::cerr << story->cluster->logs();
  }

  static TestPatroniCluster& cluster() { return *story->cluster; }

  // On the leader, as superuser; the first column of the first row.
  static std::string sql(const std::string& statement, const std::string& database = "postgres") {
    const auto rows = story->cluster->connect(story->cluster->leader(), database).query(statement);
    return rows.rows.empty() ? std::string() : rows.text(0, 0);
  }

  static std::string by_rest() {
    return fmt::format(R"(  dsn: user=pgrehearse dbname=postgres
  patroni:
    cluster: orders
    urls: ["{}", "{}", "{}"]
    ca: {}
    certificate: {}
    key: {}
)",
                       cluster().rest_url(0), cluster().rest_url(1), cluster().rest_url(2),
                       cluster().authority().native(), cluster().client_certificate().native(),
                       cluster().client_key().native());
  }
  static std::string haproxy_dsn() {
    return fmt::format(
        "host=127.0.0.1 port={} user=pgrehearse dbname=postgres target_session_attrs=read-write",
        cluster().haproxy_port());
  }
  static std::string several_hosts_dsn() {
    return fmt::format(
        "host=127.0.0.1,127.0.0.1,127.0.0.1 port={},{},{} user=pgrehearse dbname=postgres "
        "target_session_attrs=primary",
        cluster().port(0), cluster().port(1), cluster().port(2));
  }

  static PrimarySpec rest_spec(PreferredMember prefer = PreferredMember::any) {
    return {.dsn = "user=pgrehearse dbname=postgres",
            .patroni = PatroniSpec{.urls = {cluster().rest_url(0), cluster().rest_url(1),
                                            cluster().rest_url(2)},
                                   .cluster = "orders",
                                   .credentials = {.ca = cluster().authority(),
                                                   .certificate = cluster().client_certificate(),
                                                   .key = cluster().client_key()}},
            .prefer = prefer};
  }

  // The repository is the same seen from every member; none of them needs to live.
  static std::string scenario(const std::string& primary, const std::string& rest) {
    return fmt::format("name: patroni\nrepository: {{ stanza: pat, config: {} }}\n{}{}",
                       cluster().pgbackrest_configuration(0).native(),
                       primary.empty() ? "" : "primary:\n" + primary, rest);
  }

  static DrillResult pgrehearse(std::vector<std::string> arguments, const std::string& text) {
    static int drills = 0;
    const auto place = story->scratch / fmt::format("drill-{}", ++drills);
    fs::create_directory(place);
    std::ofstream(place / "scenario.yaml") << text;
    arguments.insert(arguments.begin() + 1, place / "scenario.yaml");
    arguments.insert(arguments.end(), {"--state", story->scratch / "state"});
    if (arguments.front() == "run") {
      arguments.insert(arguments.end(), {"--json", place / "report.json"});
    }
    const auto result = story->runner.run({.program = PGREHEARSE_BINARY,
                                           .arguments = std::move(arguments),
                                           .timeout = std::chrono::minutes(3)},
                                          {});
    DrillResult drill{.exit_code = result.exit_code, .text = result.output + result.error_output};
    if (std::ifstream in(place / "report.json"); in) {
      drill.report = report_from_json({std::istreambuf_iterator<char>(in), {}});
    }
    return drill;
  }
  static DrillResult drill(const std::string& primary, const std::string& rest) {
    return pgrehearse({"run"}, scenario(primary, rest));
  }
};

std::unique_ptr<Story> PatroniDrill::story;

constexpr const char* count_of_orders = R"(
  - query: { name: orders, database: shop, sql: "select count(*) from public.orders", expect: )";

TEST_F(PatroniDrill, EveryConnectionMethodFindsTheLeader) {
  const auto leader = cluster().leader();
  const auto there = fmt::format("127.0.0.1:{}", cluster().port(leader));

  const auto by_patroni = Primary(rest_spec()).identity({});
  EXPECT_FALSE(by_patroni.in_recovery);
  EXPECT_EQ(by_patroni.member, fmt::format("n{} ({})", leader, there));
  EXPECT_EQ(by_patroni.reason, "the leader of Patroni cluster 'orders'");
  EXPECT_EQ(by_patroni.timeline, 1U);

  const auto by_hosts = Primary(several_hosts_dsn()).identity({});
  EXPECT_EQ(by_hosts.member, there);
  EXPECT_FALSE(by_hosts.in_recovery);

  const auto by_balancer = Primary(haproxy_dsn()).identity({});
  EXPECT_FALSE(by_balancer.in_recovery);
  EXPECT_EQ(by_balancer.system_identifier, by_patroni.system_identifier);

  const auto standby = Primary(rest_spec(PreferredMember::standby)).identity({});
  EXPECT_TRUE(standby.in_recovery);
  EXPECT_NE(standby.member, by_patroni.member);
  EXPECT_THAT(standby.reason, StartsWith("a standby of Patroni cluster 'orders'"));
  EXPECT_EQ(standby.timeline, 1U);

  for (auto taken : {&HttpCredentials::ca, &HttpCredentials::certificate}) {
    auto spec = rest_spec();
    spec.patroni->credentials.*taken = std::nullopt;
    try {
      const auto identity = Primary(spec).identity({});
      ADD_FAILURE() << "let in as " << identity.member;
    } catch (const SqlError& error) {
      EXPECT_EQ(error.code(), FindingCode::primary_no_member) << error.what();
    }
  }

  const auto doctor = pgrehearse({"doctor"}, scenario(by_rest(), ""));
  EXPECT_EQ(doctor.exit_code, 0) << doctor.text;
  EXPECT_THAT(doctor.text, HasSubstr(by_patroni.member + ", the leader of Patroni cluster"));
}

// A standby is read while it replays; the leader is not queried.
TEST_F(PatroniDrill, ComparisonWithAStandbyUnderLoadIsExact) {
  sql("create table public.busy (id integer primary key)", "shop");
  std::jthread load([](const std::stop_token& stop) {
    auto leader = cluster().connect(cluster().leader(), "shop");
    for (int id = 1; !stop.stop_requested(); ++id) {
      leader.query(fmt::format("insert into public.busy values ({})", id));
      if (id % 500 == 0) leader.query("select pg_switch_wal()");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // a load, not a flood of WAL
    }
  });
  const auto run = drill(by_rest() + "  prefer: standby\n",
                         "checks: [{ comparison: { budget: { time: 1min } } }]\n");
  load.request_stop();
  load.join();
  cluster().switch_wal_and_wait(cluster().leader());

  EXPECT_EQ(run.exit_code, 0) << run.text;
  ASSERT_TRUE(run.report.has_value()) << run.text;
  EXPECT_TRUE(run.report->comparison.exact) << run.text;
  EXPECT_EQ(run.report->comparison.method, "standby") << run.text;
}

// A backup of a member has Patroni's own files in it.
TEST_F(PatroniDrill, ANewClusterAndANewStandbyAreBuiltFromTheBackup) {
  const auto means = available_isolation().means;
  const bool isolated = means.network && means.processes;
  if (!require_or_skip(isolated ? "" : "no namespaces here", Remedy::none)) return;
  sql("alter role pgrehearse replication");
  for (const auto* upstream : {"", "  prefer: standby\n"}) {
    const auto run = drill(by_rest() + upstream,
                           "checks:\n  - patroni_bootstrap\n"
                           "  - replica: { allow_replica: true, timeout: 2min }\n");
    EXPECT_EQ(run.exit_code, 0) << run.text;
    for (const auto* check : {"patroni_bootstrap", "replica"}) {
      ASSERT_NE(run.check(check), nullptr) << run.text;
      EXPECT_EQ(run.check(check)->verdict, Verdict::pass) << run.text;
    }
  }
  const auto ours =
      sql("select count(*) from pg_stat_replication where application_name like 'pgrehearse%'");
  EXPECT_EQ(ours, "0");
  sql("alter role pgrehearse noreplication");
}

TEST_F(PatroniDrill, FailoverDuringADrillIsFollowed) {
  const auto old_leader = cluster().leader();
  const Primary by_rest_primary(rest_spec());
  const Primary by_balancer(haproxy_dsn());
  const Primary by_hosts(several_hosts_dsn());

  // Row counting waits for this lock, so the leader is killed during it.
  auto locker = cluster().connect(old_leader, "shop");
  locker.query("begin");
  locker.query("lock table public.payments in access exclusive mode");
  // A later recovery to this point finds the lock held, with no session to release it.
  cluster().connect(old_leader, "shop").query("select pg_create_restore_point('while_locked')");
  auto drilling = std::async(std::launch::async, [] {
    return drill(by_rest(), "checks: [identity, row_counts, wal_continuity, comparison]\n");
  });
  auto watcher = cluster().connect(old_leader, "postgres");
  const auto waiting = [&] {
    return watcher
        .query(
            "select from pg_stat_activity where application_name = 'pgrehearse' and "
            "wait_event_type = 'Lock'")
        .rows.size();
  };
  // Each reader waits for two seconds only: no time may be lost before the leader is killed.
  std::size_t readers = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  ASSERT_TRUE(poll_until(deadline, std::chrono::milliseconds(5), {}, [&] {
    readers = waiting();
    return readers > 0;
  })) << "the drill did not read the leader";
  cluster().kill(old_leader);
  const bool both = readers == 2;

  const auto run = drilling.get();
  ASSERT_TRUE(run.check("row_counts") && run.check("identity") && run.check("comparison"))
      << run.text;
  EXPECT_EQ(run.check("row_counts")->verdict, Verdict::pass) << run.text;
  EXPECT_EQ(run.check("identity")->verdict, Verdict::pass) << run.text;
  // Its snapshot died with the leader, if it had one.
  EXPECT_NE(run.check("comparison")->verdict, Verdict::fail) << run.text;
  if (both) {
    EXPECT_EQ(run.check("comparison")->verdict, Verdict::unknown) << run.text;
    EXPECT_EQ(run.exit_code, 2) << run.text;
  }

  const auto new_leader = cluster().leader();
  EXPECT_NE(new_leader, old_leader);
  const auto followed = by_rest_primary.identity({});
  EXPECT_THAT(followed.member, StartsWith(cluster().name(new_leader) + " "));
  EXPECT_EQ(followed.timeline, 2U);
  EXPECT_EQ(by_balancer.identity({}).timeline, 2U);
  EXPECT_EQ(by_hosts.identity({}).member, fmt::format("127.0.0.1:{}", cluster().port(new_leader)));
}

TEST_F(PatroniDrill, RecoversBeforeAndAfterATimelineSwitch) {
  const auto leader = cluster().leader();
  // Informs the standbys, and thus recovery, that the killed leader's transactions have ended.
  sql("checkpoint");
  sql("insert into public.orders select n, 'late ' || n from generate_series(1002, 1500) n",
      "shop");
  const auto second_point = sql("select clock_timestamp()");
  sql("insert into public.orders values (1501, 'after the second point in time')", "shop");
  cluster().switch_wal_and_wait(leader);

  const auto latest =
      drill(by_rest(),
            std::string("checks:\n  - identity\n  - row_counts\n  - wal_continuity\n  - startup") +
                count_of_orders + "1501 }\n");
  EXPECT_EQ(latest.exit_code, 0) << latest.text;
  ASSERT_TRUE(latest.report && latest.report->landing) << latest.text;
  EXPECT_EQ(latest.report->landing->timeline, 2U);

  const auto before = drill("", fmt::format("recover_to: {{ time: \"{}\" }}\nchecks:{}1000 }}\n",
                                            story->before_the_switch, count_of_orders));
  EXPECT_EQ(before.exit_code, 0) << before.text;
  ASSERT_TRUE(before.report && before.report->landing) << before.text;
  EXPECT_EQ(before.report->landing->timeline, 1U);

  const auto after = drill("", fmt::format("recover_to: {{ time: \"{}\" }}\nchecks:{}1500 }}\n",
                                           second_point, count_of_orders));
  EXPECT_EQ(after.exit_code, 0) << after.text;
  ASSERT_TRUE(after.report && after.report->landing) << after.text;
  EXPECT_EQ(after.report->landing->timeline, 2U);
  ASSERT_TRUE(after.report->landing->last_applied && after.report->landing->first_withheld);
  EXPECT_EQ(std::to_string(after.report->landing->last_applied->xid),
            sql("select xmin from public.orders where id = 1500", "shop"));
  EXPECT_EQ(std::to_string(after.report->landing->first_withheld->xid),
            sql("select xmin from public.orders where id = 1501", "shop"));
}

TEST_F(PatroniDrill, LockHeldByReplayIsReportedWithoutWaiting) {
  const auto counts = story->scratch / "counts.json";
  std::ofstream(counts) << R"({"shop": {"public.payments": 0}})";
  const auto run = drill("", fmt::format("recover_to: {{ name: while_locked }}\nchecks:\n"
                                         "  - row_counts: {{ against: {} }}\n",
                                         counts.string()));
  EXPECT_EQ(run.exit_code, 1) << run.text;  // the file lacks the other tables
  const auto* locked = run.finding(FindingCode::rows_locked);
  ASSERT_NE(locked, nullptr) << run.text;
  EXPECT_EQ(locked->object, "shop.public.payments");
}

TEST_F(PatroniDrill, CommitsOnlyOnTheOldLeaderAreReported) {
  const auto old_leader = cluster().leader();
  cluster().freeze_replication_from(old_leader);
  {
    auto alone = cluster().connect(old_leader, "shop");
    alone.query("insert into public.orders values (2001, 'lost')");
    alone.query("insert into public.orders values (2002, 'lost, too')");
  }
  cluster().switch_wal_and_wait(old_leader);
  cluster().kill(old_leader);
  const auto new_leader = cluster().leader();
  cluster().wait_until_archived("00000003.history");

  // Nothing of timeline 3 is archived yet, so replay continues on timeline 2 past the fork.
  const auto astray = drill("", "checks: [wal_continuity]\n");
  EXPECT_EQ(astray.exit_code, 1) << astray.text;
  ASSERT_TRUE(astray.report && astray.report->landing) << astray.text;
  EXPECT_EQ(astray.report->landing->timeline, 2U);
  EXPECT_EQ(astray.report->diagnosis.code, FindingCode::timeline_old_primary) << astray.text;
  EXPECT_THAT(astray.report->diagnosis.summary, HasSubstr("2 transactions"));

  sql("insert into public.orders values (3001, 'on timeline 3')", "shop");
  cluster().switch_wal_and_wait(new_leader);
  const auto latest =
      drill(by_rest(), std::string("checks:\n  - identity\n  - row_counts\n  - wal_continuity") +
                           count_of_orders + "1502 }\n");
  EXPECT_EQ(latest.exit_code, 0) << latest.text;
  ASSERT_TRUE(latest.report && latest.report->landing) << latest.text;
  EXPECT_EQ(latest.report->landing->timeline, 3U);
  ASSERT_TRUE(latest.report->landing->last_applied.has_value());
  EXPECT_EQ(std::to_string(latest.report->landing->last_applied->xid),
            sql("select xmin from public.orders where id = 3001", "shop"));
  const auto* lost = latest.finding(FindingCode::timeline_orphaned_commits);
  ASSERT_NE(lost, nullptr) << latest.text;
  EXPECT_EQ(lost->details.at("transactions"), "2");

  const auto rescued = drill("", std::string("recover_to: { latest: true, timeline: 2 }\nchecks:") +
                                     count_of_orders + "1503 }\n");
  EXPECT_EQ(rescued.exit_code, 0) << rescued.text;
}

TEST_F(PatroniDrill, NewLeaderThatDoesNotArchiveIsReported) {
  auto text = scenario(by_rest(), "checks: [identity]\n");
  const auto usual = cluster().pgbackrest_configuration(0).native();
  text.replace(text.find(usual), usual.size(), cluster().repository_without_timeline(3).native());
  const auto run = pgrehearse({"run"}, text);
  EXPECT_EQ(run.exit_code, 1) << run.text;
  ASSERT_TRUE(run.report && run.report->landing) << run.text;
  EXPECT_EQ(run.report->landing->timeline, 2U);
  const auto* outdated = run.finding(FindingCode::timeline_outdated);
  ASSERT_NE(outdated, nullptr) << run.text;
  EXPECT_EQ(outdated->object, "00000003.history");
}

}  // namespace
}  // namespace pgrehearse
