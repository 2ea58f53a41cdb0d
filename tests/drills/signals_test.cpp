// Drills that are interrupted or killed in each phase: SIGINT and SIGTERM leave nothing; leftovers
// of SIGKILL are removed by the next drill, which leaves running drills alone.
#include <array>
#include <csignal>
#include <fstream>
#include <span>

#include "harness/sandbox/registry.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/drills/live_drill.hpp"

namespace pgrehearse {
namespace {

// The progress line after which the next phase runs.
constexpr std::array lines_between_phases{
    " started",  "create sandbox: ",         "restore: ",
    "recover: ", "prove landing: ",          "checks while paused: ",
    "promote: ", "checks after promotion: ", "stop: "};

class Signals : public DrillTest {
 protected:
  std::string write_scenario() const {
    const auto file = scratch / "signals.yaml";
    std::ofstream(file) << scenario("checks: [databases, amcheck, page_checksums]\n");
    return file;
  }

  void expect_interrupted_cleanly(int signal, std::span<const char* const> lines) {
    const auto file = write_scenario();
    for (const auto* line : lines) {
      LiveDrill drill(file, state);
      ASSERT_TRUE(drill.wait_for(line)) << line << '\n' << drill.seen();
      EXPECT_EQ(drill.end(signal), 130) << line << '\n' << drill.seen();
      expect_nothing_left();
    }
  }
};

TEST_F(Signals, SigtermInEachPhaseLeavesNothing) {
  expect_interrupted_cleanly(SIGTERM, lines_between_phases);
}

// Both signals are handled by the same code: a few phases are enough.
TEST_F(Signals, SigintLeavesNothing) {
  expect_interrupted_cleanly(SIGINT, std::span(lines_between_phases).subspan(1, 3));
}

TEST_F(Signals, NextDrillRemovesLeftoversOfKilledDrillsAndKeepsRunningOnes) {
  const auto file = write_scenario();
  for (const auto* line : lines_between_phases) {
    LiveDrill drill(file, state);
    ASSERT_TRUE(drill.wait_for(line)) << line << '\n' << drill.seen();
    EXPECT_EQ(drill.end(SIGKILL), -SIGKILL);
  }
  const auto killed = Registry(state).list();
  EXPECT_FALSE(killed.empty());
  LiveDrill live(file, state);
  ASSERT_TRUE(live.wait_for("create sandbox: ")) << live.seen();
  // The running drill removed these leftovers when it started; one more drill is killed now.
  LiveDrill last(file, state);
  ASSERT_TRUE(last.wait_for("create sandbox: ")) << last.seen();
  EXPECT_EQ(last.end(SIGKILL), -SIGKILL);
  const auto run = run_scenario(scenario("checks: [databases]\n"));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  EXPECT_EQ(live.end(0), 0) << live.seen();
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
