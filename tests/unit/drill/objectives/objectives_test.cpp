#include "harness/drill/objectives/objectives.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;

class Objectives : public testing::Test {
 protected:
  Objectives() {
    scenario.objectives.rpo = 10min;
    report.started = *parse_instant("2026-11-20 03:00:00+00");
    report.landing = Landing{.time = report.started - 5min};
  }
  CheckRecord judged() {
    const std::optional<PrimaryIdentity> identity;
    const std::optional<PrimaryState> state;
    const auto loss = measure_data_loss({.target = scenario.target,
                                         .backup = {},
                                         .landing = *report.landing,
                                         .drill_started = report.started,
                                         .landed_at = report.started,
                                         .identity = identity,
                                         .state = state,
                                         .connect_copy = {}},
                                        {});
    measure_objectives({.scenario = scenario, .loss = loss}, report);
    return report.checks.empty() ? CheckRecord{} : report.checks.back();
  }

  Scenario scenario;
  Report report;
};

TEST_F(Objectives, LatestIsHeldAgainstTheStartOfTheDrill) {
  EXPECT_EQ(judged().verdict, Verdict::pass);
  EXPECT_EQ(report.rpo.measured, 300.0);
  report.landing->time = report.started - 11min;
  EXPECT_EQ(judged().verdict, Verdict::fail);
  EXPECT_EQ(report.checks.back().findings.at(0).code, FindingCode::rpo_exceeded);
}

TEST_F(Objectives, ATargetThatAsksForNoTimeIsNotJudgedAndSpoilsNothing) {
  for (const auto type :
       {TargetType::immediate, TargetType::lsn, TargetType::xid, TargetType::name}) {
    scenario.target = {.type = type};
    const auto check = judged();
    EXPECT_EQ(check.verdict, Verdict::skipped);
    EXPECT_TRUE(check.findings.empty());
    EXPECT_NE(check.summary.find("not applicable"), std::string::npos);
    EXPECT_FALSE(report.rpo.measured.has_value());
  }
}

TEST_F(Objectives, ACommitInTheFutureNamesTheClock) {
  report.landing->time = report.started + 2h;
  EXPECT_EQ(judged().verdict, Verdict::unknown);
  EXPECT_EQ(report.checks.back().findings.at(0).code, FindingCode::clock_wrong);
  EXPECT_FALSE(report.rpo.measured.has_value());
}

TEST_F(Objectives, WithoutACommitTimeNothingIsKnown) {
  report.landing->time.reset();
  EXPECT_EQ(judged().verdict, Verdict::unknown);
  EXPECT_EQ(report.checks.back().findings.at(0).code, FindingCode::rpo_unknown);
}

}  // namespace
}  // namespace pgrehearse
