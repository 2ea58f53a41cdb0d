#include "harness/drill/pause_points.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {
namespace {

constexpr Stop stop{.lsn = {500}};

class WhyMissed : public testing::Test {
 protected:
  [[nodiscard]] bool reached(const Stop& at = stop) const {
    return !why_missed(at, {.target = target, .backup = backup, .lineage = lineage});
  }
  RecoveryTarget target;
  Backup backup{.label = "b", .stop_lsn = Lsn{100}};
  WalLineage lineage{.reachable_end = {1000}, .archive_end = {1000}};
};

TEST_F(WhyMissed, OnTheWayToLatest) {
  lineage.last_reachable = WalSegment{};
  EXPECT_TRUE(reached());
  EXPECT_FALSE(reached({.lsn = {99}}));   // before the backup is consistent
  EXPECT_TRUE(reached({.lsn = {5000}}));  // its WAL is still to come
}

TEST_F(WhyMissed, BehindAGapNothingComes) {
  lineage.gaps.push_back({});
  EXPECT_TRUE(reached());
  EXPECT_FALSE(reached({.lsn = {5000}}));
}

TEST_F(WhyMissed, ATargetBeforeItEndsRecoveryFirst) {
  target = {.type = TargetType::lsn, .lsn = Lsn{400}};
  EXPECT_FALSE(reached());
  target.lsn = Lsn{500};
  EXPECT_TRUE(reached());
  target = {.type = TargetType::time, .time = Instant(std::chrono::seconds(50))};
  EXPECT_FALSE(reached());
  EXPECT_TRUE(reached({.lsn = {500}, .taken = Instant(std::chrono::seconds(40))}));
  EXPECT_FALSE(reached({.lsn = {500}, .taken = Instant(std::chrono::seconds(60))}));
  target = {.type = TargetType::name, .name = "x"};
  EXPECT_FALSE(reached());
}

class WantingCheck : public Check {
 public:
  WantingCheck(std::vector<Stop> stops, std::vector<std::string>& told)
      : stops_(std::move(stops)), told_(told) {}
  std::vector<Stop> stops(CheckContext& /*context*/) override { return stops_; }
  void at_stop(CheckContext& /*context*/, const Stop& at) override {
    told_.push_back("at " + to_text(at.lsn));
    if (at.lsn.value == 3) throw Error(ErrorKind::environment, "no");
  }
  void missed_stop(CheckContext& /*context*/, const Stop& at, const std::string& why) override {
    told_.push_back("missed " + to_text(at.lsn) + ": " + why);
  }
  CheckOutcome run(CheckContext& /*context*/) override { return {}; }

 private:
  std::vector<Stop> stops_;
  std::vector<std::string>& told_;
};

TEST(PausePoints, EachIsVisitedOnceAscendingByThoseWhoAskedForIt) {
  std::vector<std::string> told;
  std::vector<PlannedCheck> planned;
  planned.push_back({.check = std::make_unique<WantingCheck>(
                         std::vector<Stop>{{.lsn = {3}}, {.lsn = {1}}, {.lsn = {3}}}, told)});
  planned.push_back(
      {.check = std::make_unique<WantingCheck>(std::vector<Stop>{{.lsn = {1}}}, told)});
  CheckBench bench;
  auto context = bench.context();
  PausePoints stops(planned, context);
  const auto all = stops.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].lsn.value, 1U);
  stops.reached(all[0]);
  stops.reached(all[1]);
  stops.missed(all[1], "gone");
  EXPECT_EQ(told, (std::vector<std::string>{"at 0/1", "at 0/1", "at 0/3"}));
  EXPECT_TRUE(planned[0].failure.has_value());  // and it is not told anything any more
  EXPECT_FALSE(planned[1].failure.has_value());
}

}  // namespace
}  // namespace pgrehearse
