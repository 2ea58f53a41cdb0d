// Drills in a container: the target is reached, nothing is left behind, and a failure of the
// sandbox is never reported as one of the backup. every_sandbox_test.cpp compares the kinds of
// sandbox.
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/postgres/binaries.hpp"
#include "harness/sandbox/container/container_engine.hpp"
#include "harness/sandbox/registry.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/drills/live_drill.hpp"
#include "tests/drills/small_disk.hpp"
#include "tests/engines/test_engine.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/stores/tls_repository_host.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class ContainerDrill : public DrillTest {
 protected:
  void SetUp() override {
    const auto given = kind == EngineKind::docker ? docker_for_tests() : podman_for_tests();
    if (!require_or_skip(given.impossible, Remedy::none)) return;
    if (!require_or_skip(given.missing)) return;
    DrillTest::SetUp();
    address = given.address;
    setenv(kind == EngineKind::docker ? "DOCKER_HOST" : "CONTAINER_HOST", address.c_str(), 1);
  }

  // A failed test leaves nothing that would make the next one fail.
  void TearDown() override {
    if (HasFailure() && !address.empty()) clean({"--kept"});
    DrillTest::TearDown();
  }

  [[nodiscard]] std::string in_container(std::string_view rest) const {
    return in_container_of(scenario(rest));
  }
  [[nodiscard]] std::string in_container_of(std::string text) const {
    const std::string local = "type: local";
    return text.replace(text.find(local), local.size(),
                        fmt::format("type: {}, engine: \"{}\"", name_of(kind), address));
  }

  // Names of all containers of the engine.
  [[nodiscard]] std::vector<std::string> containers() const {
    const ContainerEngine engine(kind,
                                 find_engine(kind, address, EngineSurroundings::of_this_process()));
    std::vector<std::string> names;
    for (const auto& container : engine.list({})) names.push_back(container.name);
    return names;
  }

  DrillRun clean(std::vector<std::string> runs = {}) {
    runs.insert(runs.begin(), "clean");
    return pgrehearse(std::move(runs),
                      {{kind == EngineKind::docker ? "DOCKER_HOST" : "CONTAINER_HOST", address}});
  }

  void expect_no_trace() const {
    expect_nothing_left();
    EXPECT_EQ(containers(), std::vector<std::string>{});
  }

  static void expect_environment_failure(const DrillRun& run, FindingCode code) {
    EXPECT_EQ(run.exit_code, 2) << run.text();
    ASSERT_TRUE(run.report.has_value()) << run.text();
    EXPECT_EQ(run.report->verdict, Verdict::unknown);
    EXPECT_EQ(run.report->diagnosis.code, code) << run.findings();
    EXPECT_EQ(run.report->diagnosis.likely_cause, LikelyCause::environment) << run.findings();
  }

  void kill_in_each_phase();

  EngineKind kind = EngineKind::docker;
  std::string address;
};

// Kills a drill in each phase while two others run: `clean` removes only what is orphaned.
void ContainerDrill::kill_in_each_phase() {
  const auto file = scratch / "container.yaml";
  std::ofstream(file) << in_container("checks: [databases, amcheck, page_checksums]\n");
  // They do not end before the test does.
  const auto long_file = scratch / "long.yaml";
  std::ofstream(long_file) << in_container(
      "checks: [query: { name: long, database: postgres, sql: \"select pg_sleep(1200)\", "
      "expect: \"\", timeout: 30min }]\n");
  LiveDrill one(long_file, state);
  LiveDrill two(long_file, state);
  ASSERT_TRUE(one.wait_for("create sandbox: ")) << one.seen();
  ASSERT_TRUE(two.wait_for("create sandbox: ")) << two.seen();
  for (const auto* line : {" started", "create sandbox: ", "restore: ", "recover: ",
                           "checks while paused: ", "promote: ", "stop: "}) {
    LiveDrill drill(file, state);
    ASSERT_TRUE(drill.wait_for(line)) << line << '\n' << drill.seen();
    EXPECT_EQ(drill.end(SIGKILL), -SIGKILL);
    const auto cleaned = clean();
    EXPECT_EQ(cleaned.exit_code, 0) << line << '\n' << cleaned.text();
    EXPECT_EQ(containers().size(), 2U) << line << '\n' << cleaned.text();
  }
  // A drill that had lost its container would have ended by itself.
  ASSERT_TRUE(one.wait_for("recover: ")) << one.seen();
  ASSERT_TRUE(two.wait_for("recover: ")) << two.seen();
  EXPECT_EQ(one.end(SIGTERM), 130) << one.seen();
  EXPECT_EQ(two.end(SIGTERM), 130) << two.seen();
  EXPECT_EQ(clean().exit_code, 0);
  expect_no_trace();
}

class PodmanDrill : public ContainerDrill {
 protected:
  PodmanDrill() { kind = EngineKind::podman; }
};

TEST_F(PodmanDrill, CleanRemovesLeftoversOfKilledDrillsAndKeepsRunningOnes) {
  kill_in_each_phase();
}

TEST_F(PodmanDrill, SigtermLeavesNothing) {
  const auto file = scratch / "container.yaml";
  std::ofstream(file) << in_container("checks: [databases]\n");
  LiveDrill drill(file, state);
  ASSERT_TRUE(drill.wait_for("create sandbox: ")) << drill.seen();
  EXPECT_EQ(drill.end(SIGTERM), 130) << drill.seen();
  expect_no_trace();
}

TEST_F(ContainerDrill, ReachesAPointInTime) {
  const auto& mark = shared.marks.at(3);
  const auto run = run_scenario(
      in_container("recover_to: { xid: \"" + mark.xid + "\" }\nchecks: [landing, databases]\n"));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  expect_no_trace();
}

TEST_F(ContainerDrill, KeptCopyAcceptsConnectionsAndCanBeRemoved) {
  const auto run = run_scenario(in_container("checks: [databases]\n"), {"--keep"});
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report) << run.text();
  const auto id = run.report->id;
  const auto asked =
      runner.run({.program = "psql",
                  .arguments = {"-h", fs::path(run.report->sandbox.root) / "s", "-U", "postgres",
                                "-d", "shop", "-Atc", "select pg_is_in_recovery()"}},
                 {});
  EXPECT_TRUE(asked.succeeded()) << asked.error_output;
  EXPECT_EQ(containers().size(), 1U);
  EXPECT_EQ(clean().exit_code, 0);
  EXPECT_EQ(containers().size(), 1U) << "a kept sandbox is removed only by its name";
  const auto cleaned = clean({id});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.text();
  expect_no_trace();
}

TEST_F(ContainerDrill, CleanRemovesLeftoversOfKilledDrillsAndKeepsRunningOnes) {
  kill_in_each_phase();
}

TEST_F(ContainerDrill, MapIsTheSameAsInALocalSandbox) {
  const auto edge = [&](const std::string& text) {
    const auto file = scratch / "map.yaml";
    std::ofstream(file, std::ios::trunc) << text;
    const auto run = pgrehearse({"map", file, "--format", "json"});
    EXPECT_EQ(run.exit_code, 0) << run.text();
    const auto map = nlohmann::json::parse(run.output);
    auto stretch = map.at("archives").at(0).at("timelines").at(0).at("recoverable").at(0);
    stretch["end"].erase("not_after");  // when it was drawn
    return stretch;
  };
  const auto local = edge(scenario("checks: [databases]\n"));
  EXPECT_NE(local.at("last_record").get<std::string>(), "") << local.dump();
  EXPECT_EQ(edge(in_container("checks: [databases]\n")), local);
  expect_no_trace();
}

TEST_F(ContainerDrill, SigtermLeavesNothing) {
  const auto file = scratch / "container.yaml";
  std::ofstream(file) << in_container("checks: [databases, page_checksums]\n");
  for (const auto* line : {" started", "create sandbox: ", "restore: ", "checks while paused: "}) {
    LiveDrill drill(file, state);
    ASSERT_TRUE(drill.wait_for(line)) << line << '\n' << drill.seen();
    EXPECT_EQ(drill.end(SIGTERM), 130) << line << '\n' << drill.seen();
    expect_no_trace();
  }
}

TEST_F(ContainerDrill, MissingEngineIsReported) {
  const auto run = run_scenario(in_container("checks: [databases]\n"),
                                {"--set", "sandbox.engine=unix:///nonexistent/docker.sock"});
  expect_environment_failure(run, FindingCode::env_engine);
  EXPECT_NE(run.findings().find("/nonexistent/docker.sock"), std::string::npos) << run.findings();
  expect_no_trace();
}

TEST_F(ContainerDrill, MissingImageIsReported) {
  const auto run = run_scenario(in_container("checks: [databases]\n"),
                                {"--set", "sandbox.image=localhost:1/no-such:image"});
  expect_environment_failure(run, FindingCode::env_image);
  EXPECT_NE(run.findings().find("localhost:1/no-such:image"), std::string::npos) << run.findings();
  expect_no_trace();
}

TEST_F(ContainerDrill, ImageWithoutPgBackRestIsReported) {
  const auto run = run_scenario(in_container("checks: [databases]\n"),
                                {"--set", "sandbox.image=pgrehearse-test:no-pgbackrest"});
  expect_environment_failure(run, FindingCode::env_binary);
  EXPECT_NE(run.findings().find("program 'pgbackrest' not found in image"), std::string::npos)
      << run.findings();
  expect_no_trace();
}

TEST_F(ContainerDrill, ImageForAnotherArchitectureIsReported) {
  const auto run = run_scenario(in_container("checks: [databases]\n"),
                                {"--set", "sandbox.image=pgrehearse-test:foreign"});
  expect_environment_failure(run, FindingCode::env_image);
  EXPECT_NE(run.findings().find("is for"), std::string::npos) << run.findings();
  expect_no_trace();
}

TEST_F(ContainerDrill, TooLittleMemoryIsNamed) {
  const auto run =
      run_scenario(in_container("checks: [query: { name: large, database: postgres, sql: \"select "
                                "length(repeat('x', 300000000))\", expect: 300000000 }]\n"),
                   {"--set", "sandbox.memory=64MB"});
  expect_environment_failure(run, FindingCode::env_memory);
  expect_no_trace();
}

TEST_F(ContainerDrill, VolumeThatIsTooSmallIsReported) {
  const auto directory = scratch / "small";
  // Enough space for the bytes, which is what is checked beforehand, but not for the files.
  const SmallDisk disk(directory, "size=2g,nr_inodes=300,mode=0755");
  const bool mounted = disk.mounted();
  if (!require_or_skip(mounted ? "" : "this account may not mount", Remedy::none)) return;
  const auto run = run_scenario(in_container("checks: [databases]\n"),
                                {"--set", "sandbox.directory=" + directory.native()});
  expect_environment_failure(run, FindingCode::env_disk_full);
  EXPECT_TRUE(fs::is_empty(directory));
  expect_no_trace();
}

TEST_F(ContainerDrill, DirectoryMountedNoexecIsReported) {
  const auto directory = scratch / "noexec";
  const SmallDisk disk(directory, "size=2g,mode=0755", MS_NOEXEC);
  const bool mounted = disk.mounted();
  if (!require_or_skip(mounted ? "" : "this account may not mount", Remedy::none)) return;
  const auto run = run_scenario(in_container("checks: [databases]\n"),
                                {"--set", "sandbox.directory=" + directory.native()});
  expect_environment_failure(run, FindingCode::env_engine);
  EXPECT_NE(run.text().find("noexec"), std::string::npos) << run.text();
  EXPECT_TRUE(fs::is_empty(directory));
  expect_no_trace();
}

TEST_F(ContainerDrill, OnlyTheRepositoryHostCanBeReached) {
  if (!require_or_skip(geteuid() == 0 ? "" : "only root can open it", Remedy::none)) return;
  const TlsRepositoryHost host(*laboratory, scratch / "host", runner);
  const std::string checks = "checks: [databases, landing]\n";
  const auto text = in_container_of(scenario_with(host.configuration(), checks));

  const auto before = list_files(laboratory->paths().repository);
  const auto run = run_scenario(text, {"--set", "sandbox.egress=repository"});
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report) << run.text();
  const auto way = fmt::format("localhost:{}", host.port());
  EXPECT_NE(run.report->tools.at("PostgreSQL binaries").find("network: only " + way),
            std::string::npos)
      << run.report->tools.at("PostgreSQL binaries");
  EXPECT_NE(run.error_output.find("the container can connect to " + way), std::string::npos)
      << run.error_output;
  const auto local = run_scenario(scenario(checks));
  ASSERT_TRUE(local.report) << local.text();
  EXPECT_EQ(run.report->landing->lsn, local.report->landing->lsn);
  EXPECT_EQ(list_files(laboratory->paths().repository), before);
  expect_no_trace();
}

// A library that starts a worker by itself represents any scheduler.
TEST_F(ContainerDrill, RestoredSubscriptionsAndBackgroundWorkersDoNotRun) {
  auto own = make_laboratory();
  auto sql = own->connect("postgres", {});
  sql.query(
      "create subscription hijack connection 'host=127.0.0.1 port=1 dbname=x user=x' "
      "publication p with (connect = false)");
  sql.query("alter system set shared_preload_libraries = 'pg_prewarm'");
  sql.query("alter system set max_logical_replication_workers = 4");
  own->stop({});
  own->start({});
  sql = own->connect("postgres", {});
  sql.query("alter subscription hijack enable");
  const std::string workers =
      "select count(*) from pg_sleep(1), pg_stat_activity where backend_type in "
      "('logical replication launcher', 'logical replication worker', 'autoprewarm leader')";
  EXPECT_NE(sql.query(workers).text(0, 0), "0") << "the workers do not run on the primary either";
  own->back_up(BackupType::full, {});
  own->switch_wal_and_wait({});
  const auto run = run_scenario(in_container_of(own->scenario_text(
      "silent",
      fmt::format("checks:\n  - query: {{ name: no worker, database: postgres, expect: 0, "
                  "sql: \"{}\" }}\n"
                  "  - query: {{ name: the subscription exists, database: postgres, expect: 1, "
                  "sql: \"select count(*) from pg_subscription where subenabled\" }}\n",
                  workers))));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  expect_no_trace();
}

// As with sandbox.type kubernetes: uid 999, no network, a read-only root.
TEST_F(ContainerDrill, PodImageHasEverythingADrillNeeds) {
  const std::string image = "pgrehearse-test:pod";
  const auto in_engine = [&](const std::string& program, std::vector<std::string> arguments) {
    return runner.run({.program = program,
                       .arguments = std::move(arguments),
                       .environment = {{"DOCKER_HOST", address}}},
                      {});
  };
  const auto made = in_engine(
      PGREHEARSE_IMAGE_SCRIPT,
      {"--pgrehearse", PGREHEARSE_BINARY, std::to_string(installed_majors().back()), image});
  ASSERT_TRUE(made.succeeded()) << made.error_output;
  const auto looked =
      in_engine("docker", {"run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp",
                           image, "pgrehearse", "doctor", "--state", "/tmp/state"});
  EXPECT_EQ(looked.exit_code, 0) << looked.output << looked.error_output;
  EXPECT_TRUE(in_engine("docker", {"rmi", image}).succeeded());
  expect_no_trace();
}

TEST_F(ContainerDrill, EngineCrashDuringRestoreIsReportedAndCleanRemovesTheContainer) {
  const auto record = scratch / "engine";
  const auto engine = [&](const char* action) {
    return runner.run({.program = PGREHEARSE_DOCKER_SCRIPT,
                       .arguments = {action, record},
                       .environment = {{"DOCKER_HOST", ""}, {"PGREHEARSE_TEST_DOCKER", ""}}},
                      {});
  };
  const auto up = engine("up");
  ASSERT_TRUE(up.succeeded()) << up.error_output;
  std::ifstream(record) >> address;
  setenv("DOCKER_HOST", address.c_str(), 1);
  const auto file = scratch / "container.yaml";
  std::ofstream(file) << in_container("checks: [databases]\n");
  LiveDrill drill(file, state);
  ASSERT_TRUE(drill.wait_for("create sandbox: ")) << drill.seen();
  // It must not end before the engine has crashed.
  drill.pause();
  ASSERT_TRUE(engine("crash").succeeded());
  drill.resume();
  EXPECT_EQ(drill.end(0), 2) << drill.seen();
  const auto report = pgrehearse({"report", "drill-test"});
  EXPECT_NE(report.output.find("is not responding"), std::string::npos) << report.text();
  EXPECT_EQ(Registry(state).list().size(), 1U) << "the container still has to be removed";
  EXPECT_FALSE(fs::exists(Registry(state).list().at(0).entry.root)) << "its files were not removed";
  ASSERT_TRUE(engine("start").succeeded());
  const auto cleaned = clean();
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.text();
  expect_no_trace();
  EXPECT_TRUE(engine("down").succeeded());
}

}  // namespace
}  // namespace pgrehearse
