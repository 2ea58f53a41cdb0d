#include <gtest/gtest.h>

#include "checks/checks.hpp"
#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;

class FreshnessUnitTest : public testing::Test {
 protected:
  void SetUp() override {
    bench.drill_started = *parse_instant("2026-11-20 03:00:00+00");
    bench.scenario.objectives.rpo = 10min;
  }
  void land(std::chrono::seconds before_the_drill) {
    bench.landing = Landing{.time = bench.drill_started - before_the_drill};
  }
  CheckOutcome run(const Settings& settings = {}) { return bench.run(freshness_check(), settings); }
  CheckBench bench;
};

TEST_F(FreshnessUnitTest, ComparesTheAgeOfTheNewestCommitWithTheObjective) {
  land(10min);
  EXPECT_EQ(run().verdict, Verdict::pass);
  land(10min + 1s);
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::freshness_old);
  EXPECT_EQ(outcome.findings.at(0).details.at("measured_seconds"), "601.000");
  EXPECT_EQ(outcome.findings.at(0).details.at("allowed_seconds"), "600.000");
}

TEST_F(FreshnessUnitTest, MaxAgeOverridesTheObjective) {
  land(20min);
  EXPECT_EQ(run(settings_of({{"max_age", std::chrono::milliseconds(1h)}})).verdict, Verdict::pass);
}

TEST_F(FreshnessUnitTest, LossIsMeasuredFromTheTargetTime) {
  bench.scenario.target = {.type = TargetType::time, .time = bench.drill_started - 5h};
  land(5h + 4min);
  EXPECT_EQ(run().verdict, Verdict::pass);
  land(5h + 11min);
  EXPECT_EQ(run().verdict, Verdict::fail);
}

TEST_F(FreshnessUnitTest, MissingEvidenceIsUnknown) {
  bench.landing = Landing{};
  EXPECT_EQ(run().verdict, Verdict::unknown);  // no commit time
  land(1min);
  bench.scenario.objectives.rpo = {};
  EXPECT_EQ(run().verdict, Verdict::unknown);  // no objective
}

TEST_F(FreshnessUnitTest, TargetsThatAreNotATimeAreSkipped) {
  for (const auto type :
       {TargetType::immediate, TargetType::lsn, TargetType::xid, TargetType::name}) {
    bench.scenario.target = {.type = type};
    land(20min);
    const auto outcome = run();
    EXPECT_EQ(outcome.verdict, Verdict::skipped);
    EXPECT_TRUE(outcome.findings.empty());
    EXPECT_NE(outcome.summary.find("not applicable"), std::string::npos);
  }
}

TEST_F(FreshnessUnitTest, ACommitDuringTheDrillIsNotALoss) {
  land(-30s);
  bench.landed_at = bench.drill_started + 1min;
  EXPECT_EQ(run().verdict, Verdict::pass);
}

TEST_F(FreshnessUnitTest, ACommitInTheFutureIsUnknownAndNamesTheClock) {
  land(-2h);
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::clock_wrong);
}

}  // namespace
}  // namespace pgrehearse
