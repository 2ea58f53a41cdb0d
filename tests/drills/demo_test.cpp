// The demo builds a primary and passes a drill; a kept demo can be rehearsed again and removed.
#include "harness/sandbox/registry.hpp"
#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class Demo : public DrillTest {};

TEST_F(Demo, PassesAndLeavesOnlyItsReport) {
  const auto run = pgrehearse({"demo", "--size", "0.05"});
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report.has_value());
  EXPECT_EQ(run.report->verdict, Verdict::pass);
  expect_nothing_left();
}

TEST_F(Demo, KeptDemoCanBeRehearsedAgainAndRemoved) {
  const auto demo =
      pgrehearse({"demo", "--size", "0.05", "--keep", "--set", "recover_to=immediate"});
  // The primary has moved on since then.
  EXPECT_EQ(demo.exit_code, 2) << demo.text();
  EXPECT_NE(demo.findings().find("PGR-COMPARE-PAST-TARGET"), std::string::npos) << demo.text();
  const auto kept = Registry(state).list();
  ASSERT_EQ(kept.size(), 1U) << demo.text();
  EXPECT_TRUE(kept[0].entry.kept);
  EXPECT_FALSE(kept[0].alive);

  // The next drill does not remove the kept demo.
  const auto again = pgrehearse({"run", kept[0].entry.root / "demo.yaml"});
  EXPECT_EQ(again.exit_code, 0) << again.text();
  EXPECT_TRUE(fs::exists(kept[0].entry.root));

  const auto clean = pgrehearse({"clean", kept[0].entry.run_id});
  EXPECT_EQ(clean.exit_code, 0) << clean.text();
  EXPECT_FALSE(fs::exists(kept[0].entry.root));
  expect_nothing_left();
}

TEST_F(Demo, ProductionRepositoryIsNotUsed) {
  const auto precious = scratch / "precious";
  fs::create_directory(precious);
  fs::permissions(precious, fs::perms(0777));
  const auto run = pgrehearse({"demo", "--size", "0.05", "--set", "checks=[databases]"},
                              {{"PGBACKREST_REPO1_PATH", precious}, {"PGBACKREST_STANZA", "main"}});
  EXPECT_EQ(run.exit_code, 0) << run.text();
  EXPECT_TRUE(fs::is_empty(precious));
}

TEST_F(Demo, InvalidOptionIsRejectedBeforeAnythingIsCreated) {
  const auto run = pgrehearse({"demo", "--set", "recover_to=yesterday"});
  EXPECT_EQ(run.exit_code, 3) << run.text();
  EXPECT_FALSE(fs::exists(state));
}

}  // namespace
}  // namespace pgrehearse
