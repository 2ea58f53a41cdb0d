// New Patroni clusters in the sandbox: real etcd, Patroni and PostgreSQL.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/process/isolation.hpp"
#include "harness/process/process_table.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/drills/live_drill.hpp"
#include "tests/fakes/network_trap.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

// Inspects the processes of the new cluster while a drill runs.
class ClusterWatch {
 public:
  explicit ClusterWatch(fs::path state)
      : state_(std::move(state)), thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            look();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}
  void end() {
    thread_.request_stop();
    thread_.join();
  }

  std::set<std::string> seen;        // programs
  std::set<std::string> reachable;   // programs in this host's network namespace
  std::set<std::string> interfaces;  // of their network namespaces

 private:
  void look() {
    std::error_code gone;
    const auto own = fs::read_symlink("/proc/self/ns/net", gone);
    for (const auto& process : all_processes()) {
      if (!process.alive()) continue;
      const fs::path directory("/proc/" + std::to_string(process.pid));
      auto line = content_of(directory / "cmdline");
      std::replace(line.begin(), line.end(), '\0', ' ');
      const auto place = fs::read_symlink(directory / "cwd", gone).native();
      const bool of_cluster =
          line.find(state_.native()) != std::string::npos
              ? line.find("/patroni/") != std::string::npos
              : place.starts_with(state_.native()) && place.find("/patroni/") != std::string::npos;
      const std::set<std::string> programs{"etcd", "patroni", "postgres", "pg_basebackup"};
      if (!of_cluster || !programs.contains(process.name)) continue;
      const auto network = fs::read_symlink(directory / "ns" / "net", gone);
      if (network.empty()) continue;
      seen.insert(process.name);
      if (network == own) reachable.insert(process.name);
      const auto devices = content_of(directory / "net" / "dev");
      for (const auto device : lines_of(devices)) {
        const auto colon = device.find(':');
        if (colon != std::string_view::npos) interfaces.emplace(trim(device.substr(0, colon)));
      }
    }
  }

  fs::path state_;
  std::jthread thread_;
};

class PatroniBootstrap : public DrillTest {
 protected:
  void SetUp() override {
    std::string missing;
    for (const auto* program : {"/usr/bin/patroni", "/usr/bin/etcd"}) {
      if (access(program, X_OK) != 0) missing = std::string(program) + " is missing";
    }
    if (!require_or_skip(missing)) return;
    const auto means = available_isolation().means;
    const bool isolated = means.network && means.processes;
    if (!require_or_skip(isolated ? "" : "no namespaces here", Remedy::none)) return;
    DrillTest::SetUp();
  }

  static const Finding* only_finding(const DrillRun& run) {
    const auto* check = run.check("patroni_bootstrap");
    return check != nullptr && check->findings.size() == 1 ? &check->findings.front() : nullptr;
  }
};

// Whatever the restored cluster contains, the new one connects nowhere and nobody reaches it.
TEST_F(PatroniBootstrap, HostileClusterIsBootstrappedInQuarantine) {
  const NetworkTrap trap;
  const auto marker = scratch / "markers" / "archived";
  fs::create_directory(scratch / "markers");
  fs::permissions(scratch / "markers", fs::perms(0777));
  auto own = make_laboratory();
  auto sql = own->connect("postgres", {});
  const auto tablespace = own->paths().data.parent_path() / "tablespace";
  fs::create_directory(tablespace);
  fs::permissions(tablespace, fs::perms(0700));
  const auto owner = find_account(own->options().account.empty() ? std::string("postgres")
                                                                 : own->options().account);
  ASSERT_EQ(chown(tablespace.c_str(), owner.uid, owner.gid), 0);
  sql.query("create tablespace fast location '" + tablespace.native() + "'");
  sql.query("create table public.kept tablespace fast as select generate_series(1, 1000) n");
  sql.query("create table public.other as select generate_series(1, 10) n");
  sql.query("create unlogged table public.cache as select 1 n");
  sql.query(
      "create function public.mark() returns event_trigger language plpgsql as $$ begin "
      "raise exception 'hostile'; end $$");
  sql.query("create event trigger hostile on ddl_command_end execute function public.mark()");
  std::ofstream(own->paths().data / "postgresql.auto.conf", std::ios::app)
      << "primary_conninfo = 'host=127.0.0.1 port=" << trap.port() << "'\narchive_command = 'touch "
      << marker.native() << "'\nrecovery_end_command = 'touch " << marker.native()
      << "'\nshared_preload_libraries = 'no_such_library'\nmax_connections = 11\n";
  own->back_up(BackupType::full, {});
  // Neither pgBackRest nor a new session of this test could connect with these.
  const auto segment = sql.query("select pg_walfile_name(pg_current_wal_insert_lsn())").text(0, 0);
  sql.query("alter role postgres set session_preload_libraries = 'no_such_library'");
  sql.query("alter database postgres set search_path = 'nowhere'");
  sql.query("select pg_switch_wal()");
  ASSERT_TRUE(poll_until(std::chrono::steady_clock::now() + std::chrono::minutes(2),
                         std::chrono::milliseconds(100), {},
                         [&] { return !own->archived_files(segment).empty(); }));
  const auto before = list_files(own->paths().repository);

  ClusterWatch watch(state);
  const auto run = run_scenario(own->scenario_text(
      "bootstrap", "checks:\n  - patroni_bootstrap: { scope: orders }\n  - page_checksums\n"));
  watch.end();

  EXPECT_EQ(run.exit_code, 0) << run.text() << run.findings();
  const auto* check = run.check("patroni_bootstrap");
  ASSERT_NE(check, nullptr) << run.text();
  EXPECT_EQ(check->verdict, Verdict::pass) << run.findings();
  EXPECT_NE(check->summary.find("2 tables (1010 rows) compared on both members"), std::string::npos)
      << check->summary;
  EXPECT_EQ(run.check("page_checksums")->verdict, Verdict::pass) << run.findings();
  EXPECT_EQ(watch.seen, (std::set<std::string>{"etcd", "patroni", "pg_basebackup", "postgres"}));
  EXPECT_EQ(watch.reachable, std::set<std::string>{});
  EXPECT_EQ(watch.interfaces, std::set<std::string>{"lo"});
  EXPECT_FALSE(trap.called()) << "the new cluster connected to production";
  EXPECT_FALSE(fs::exists(marker)) << "the new cluster archived WAL";
  EXPECT_EQ(list_files(own->paths().repository), before);
  ASSERT_TRUE(run.report.has_value());
  expect_nothing_left();
}

// Patroni creates its roles with PL/pgSQL in the database postgres.
TEST_F(PatroniBootstrap, ClusterThatPatroniCannotBootstrapIsReported) {
  auto own = make_laboratory();
  own->connect("postgres", {}).query("drop extension plpgsql cascade");
  own->connect("postgres", {}).query("create table public.t as select 1 n");
  own->back_up(BackupType::full, {});
  own->switch_wal_and_wait({});
  const auto run =
      run_scenario(own->scenario_text("no-plpgsql", "checks: [databases, patroni_bootstrap]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  const auto* finding = only_finding(run);
  ASSERT_NE(finding, nullptr) << run.findings();
  EXPECT_EQ(finding->code, FindingCode::cluster_bootstrap);
  EXPECT_NE(finding->message.find("language \"plpgsql\" does not exist"), std::string::npos)
      << finding->message;
  EXPECT_EQ(run.check("databases")->verdict, Verdict::pass);
  expect_nothing_left();
}

// pg_basebackup verifies page checksums.
TEST_F(PatroniBootstrap, DamagedPageKeepsTheSecondMemberOut) {
  auto own = make_laboratory();
  std::string file;
  {
    auto sql = own->connect("postgres", {});
    sql.query("create table public.intact as select generate_series(1, 5000) n");
    sql.query("create table public.victims as select generate_series(1, 5000) n");
    file = sql.query("select pg_relation_filepath('public.victims')").text(0, 0);
  }
  own->stop({});
  {
    std::fstream stream(own->paths().data / file, std::ios::in | std::ios::out | std::ios::binary);
    constexpr int byte_of_a_row = 3 * 8192 + 5000;
    stream.seekp(byte_of_a_row);
    stream.put('\x5a');
  }
  own->start({});
  own->back_up(BackupType::full, {});
  own->switch_wal_and_wait({});
  const auto run = run_scenario(own->scenario_text(
      "damaged-page", "checks: [patroni_bootstrap: { exclude: [postgres.public.victims] }]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  const auto* finding = only_finding(run);
  ASSERT_NE(finding, nullptr) << run.findings();
  EXPECT_EQ(finding->code, FindingCode::cluster_replica);
  EXPECT_NE(finding->message.find("checksum"), std::string::npos) << finding->message;
  expect_nothing_left();
}

// No evidence is neither a pass nor a failure.
TEST_F(PatroniBootstrap, MissingProgramsAndTooLittleTimeAreUnknown) {
  const auto run = run_scenario(scenario(R"(checks:
  - patroni_bootstrap: { name: without patroni, patroni: /nonexistent/patroni }
  - patroni_bootstrap: { name: without etcd, etcd: no-such-etcd }
  - patroni_bootstrap: { name: broken etcd, etcd: /bin/true }
  - patroni_bootstrap: { name: hurried, timeout: 1ms }
)"));
  EXPECT_EQ(run.exit_code, 2) << run.text();
  const auto expect = [&](const char* name, FindingCode code) {
    const auto* check = run.check(name);
    ASSERT_NE(check, nullptr) << run.text();
    EXPECT_EQ(check->verdict, Verdict::unknown) << name;
    ASSERT_EQ(check->findings.size(), 1U) << run.findings();
    EXPECT_EQ(check->findings.front().code, code)
        << name << ": " << check->findings.front().message;
  };
  expect("without patroni", FindingCode::env_binary);
  expect("without etcd", FindingCode::env_binary);
  expect("broken etcd", FindingCode::cluster_environment);
  expect("hurried", FindingCode::cluster_timeout);
  EXPECT_NE(run.check("without etcd")->findings.front().hint.find("etcd-server"),
            std::string::npos);
  expect_nothing_left();
}

TEST_F(PatroniBootstrap, InterruptedWhileTheClusterRunsLeavesNothing) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const auto file = scratch / "interrupted.yaml";
    std::ofstream(file) << scenario("checks: [patroni_bootstrap]\n");
    LiveDrill drill(file, state);
    ASSERT_TRUE(drill.wait_for("stop: ")) << drill.seen();
    const auto runs = [&] {
      return std::ranges::any_of(all_processes(), [&](const auto& process) {
        const auto line = content_of("/proc/" + std::to_string(process.pid) + "/cmdline");
        return process.name == "pg_basebackup" && line.find(state.native()) != std::string::npos;
      });
    };
    EXPECT_TRUE(poll_until(std::chrono::steady_clock::now() + std::chrono::minutes(5),
                           std::chrono::milliseconds(100), {}, runs))
        << drill.seen();
    EXPECT_EQ(drill.end(signal), signal == SIGKILL ? -SIGKILL : 130) << drill.seen();
  }
  // Of SIGKILL, the next command removes what is left.
  const auto cleaned = pgrehearse({"clean"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.text();
  expect_nothing_left();
}

TEST_F(PatroniBootstrap, OtherSandboxesAreAScenarioError) {
  const auto run =
      run_scenario(scenario("checks: [patroni_bootstrap]\n"), {"--set", "sandbox.type=docker"});
  EXPECT_EQ(run.exit_code, 3) << run.text();
  EXPECT_NE(run.error_output.find("check 'patroni_bootstrap' cannot run with sandbox.type: docker"),
            std::string::npos)
      << run.text();
}

}  // namespace
}  // namespace pgrehearse
