// Drills in a virtual machine: nothing is left behind, and a failure of the sandbox is never
// reported as one of the backup. every_sandbox_test.cpp compares the kinds of sandbox.
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

#include "harness/process/process_table.hpp"
#include "harness/sandbox/registry.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/drills/live_drill.hpp"
#include "tests/engines/test_engine.hpp"
#include "tests/fakes/command_line_of.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class VmDrill : public DrillTest {
 protected:
  void SetUp() override {
    const auto given = virtual_machine_for_tests();
    if (!require_or_skip(given.impossible, Remedy::none)) return;
    if (!require_or_skip(given.missing)) return;
    DrillTest::SetUp();
    image = given.address;
  }

  // A failed test leaves no machine running.
  void TearDown() override {
    if (HasFailure()) pgrehearse({"clean"});
    DrillTest::TearDown();
  }

  [[nodiscard]] std::string in_machine(std::string_view rest) const {
    auto text = scenario(rest);
    const std::string local = "type: local";
    return text.replace(text.find(local), local.size(),
                        fmt::format("type: vm, image: {}", image.string()));
  }

  [[nodiscard]] fs::path broken(const char* name) const { return image.parent_path() / name; }

  // The QEMU processes of this test's drills.
  [[nodiscard]] std::vector<pid_t> machines() const {
    std::vector<pid_t> found;
    for (const auto& process : all_processes()) {
      if (!process.alive() || !process.name.starts_with("qemu-system")) continue;
      const auto line = command_line_of(process);
      if (line.find(state.native()) != std::string::npos) found.push_back(process.pid);
    }
    return found;
  }

  void expect_environment_failure(const std::vector<std::string>& options, FindingCode code,
                                  std::string_view words) {
    const auto run = run_scenario(in_machine("checks: [databases]\n"), options);
    EXPECT_EQ(run.exit_code, 2) << run.text();
    ASSERT_TRUE(run.report.has_value()) << run.text();
    EXPECT_EQ(run.report->verdict, Verdict::unknown);
    EXPECT_EQ(run.report->diagnosis.code, code) << run.findings();
    EXPECT_EQ(run.report->diagnosis.likely_cause, LikelyCause::environment) << run.findings();
    EXPECT_NE(run.text().find(words), std::string::npos) << run.text();
    expect_nothing_left();
  }

  fs::path image;
};

// Kills one drill while its machine boots and one during the restore, because an emulated machine
// is slow to start. PGREHEARSE_THOROUGH=1 kills one in each phase while two others run.
TEST_F(VmDrill, CleanRemovesLeftoversOfKilledDrillsAndKeepsRunningOnes) {
  const bool thorough = std::getenv("PGREHEARSE_THOROUGH") != nullptr;
  std::vector<const char*> phases{"prepare: ", "create sandbox: "};
  if (thorough) {
    phases.insert(phases.end(),
                  {"restore: ", "recover: ", "checks while paused: ", "promote: ", "stop: "});
  }
  const auto file = scratch / "machine.yaml";
  std::ofstream(file) << in_machine("checks: [databases, amcheck, page_checksums]\n");
  std::vector<std::unique_ptr<LiveDrill>> live;
  for (int count = thorough ? 2 : 1; count > 0; --count) {
    live.push_back(std::make_unique<LiveDrill>(file, state));
    ASSERT_TRUE(live.back()->wait_for("create sandbox: ")) << live.back()->seen();
    // Paused, so that it does not end before the test does.
    live.back()->pause();
  }
  for (const auto* line : phases) {
    LiveDrill drill(file, state);
    ASSERT_TRUE(drill.wait_for(line)) << line << '\n' << drill.seen();
    EXPECT_EQ(drill.end(SIGKILL), -SIGKILL);
    const auto cleaned = pgrehearse({"clean"});
    EXPECT_EQ(cleaned.exit_code, 0) << line << '\n' << cleaned.text();
    EXPECT_EQ(Registry(state).list().size(), 2 * live.size())
        << "two entries per running drill: sandbox and scratch directory";
    EXPECT_EQ(machines().size(), live.size()) << line << '\n' << cleaned.text();
  }
  for (const auto& one : live) {
    one->resume();
    ASSERT_TRUE(one->wait_for("restore: ")) << "the running drill was affected\n" << one->seen();
    EXPECT_EQ(one->end(SIGTERM), 130) << one->seen();
  }
  expect_nothing_left();
  EXPECT_TRUE(machines().empty());
}

TEST_F(VmDrill, MachineThatExitsDuringTheRestoreIsReported) {
  const auto file = scratch / "machine.yaml";
  std::ofstream(file) << in_machine("checks: [databases]\n");
  LiveDrill drill(file, state);
  ASSERT_TRUE(drill.wait_for("create sandbox: ")) << drill.seen();
  for (const auto pid : machines()) kill(pid, SIGKILL);
  EXPECT_EQ(drill.end(0), 2) << drill.seen();
  const auto report = pgrehearse({"report", "drill-test"});
  EXPECT_NE(report.output.find("PGR-ENV-VM"), std::string::npos) << report.text();
  EXPECT_NE(report.output.find("the virtual machine terminated"), std::string::npos)
      << report.text();
  expect_nothing_left();
}

TEST_F(VmDrill, MachineThatDoesNotBootIsReported) {
  expect_environment_failure(
      {"--set", "sandbox.image=" + broken("silent").string(), "--set", "sandbox.boot_timeout=5s"},
      FindingCode::env_vm,
      "the virtual machine did not start within 5.0s; its console shows nothing");
}

TEST_F(VmDrill, UnusableImageIsReported) {
  expect_environment_failure({"--set", "sandbox.image=" + broken("none").string()},
                             FindingCode::env_image, "is not a virtual machine image");
  expect_environment_failure({"--set", "sandbox.image=" + broken("changed").string()},
                             FindingCode::env_image,
                             "kernel does not match the image's SHA256SUMS");
  expect_environment_failure({"--set", "sandbox.image=" + broken("foreign").string()},
                             FindingCode::env_image, "is for s390x");
  expect_environment_failure({"--set", "sandbox.image=" + broken("toolless").string()},
                             FindingCode::env_binary, "program 'pgbackrest' not found in image");
  expect_environment_failure({"--set", "sandbox.checksum=sha256:" + std::string(64, '0')},
                             FindingCode::env_image, "expected sha256:0000");
}

TEST_F(VmDrill, DiskThatIsTooSmallIsReported) {
  expect_environment_failure({"--set", "sandbox.disk=8MB"}, FindingCode::env_disk_full,
                             "is too small");
}

}  // namespace
}  // namespace pgrehearse
