#include "harness/drill/pause_points.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {
namespace {

using Words = std::vector<std::string>;

constexpr PausePoint point{.lsn = {500}};

class UnreachableReason : public testing::Test {
 protected:
  [[nodiscard]] bool reachable(const PausePoint& at = point) const {
    return !unreachable_reason(at, {.target = target, .backup = backup, .lineage = lineage});
  }
  RecoveryTarget target;
  Backup backup{.label = "b", .stop_lsn = Lsn{100}};
  WalLineage lineage{.reachable_end = {1000}, .archive_end = {1000}};
};

TEST_F(UnreachableReason, PositionsAfterConsistencyAreReachedOnTheWayToLatest) {
  lineage.last_reachable = WalSegment{};
  EXPECT_TRUE(reachable());
  EXPECT_FALSE(reachable({.lsn = {99}})) << "before the backup is consistent";
  EXPECT_TRUE(reachable({.lsn = {5000}})) << "its WAL may still be archived";
}

TEST_F(UnreachableReason, PositionsAfterAGapAreUnreachable) {
  lineage.gaps.push_back({});
  EXPECT_TRUE(reachable());
  EXPECT_FALSE(reachable({.lsn = {5000}}));
}

TEST_F(UnreachableReason, PositionsAfterTheTargetAreUnreachable) {
  target = {.type = TargetType::lsn, .lsn = Lsn{400}};
  EXPECT_FALSE(reachable());
  target.lsn = Lsn{500};
  EXPECT_TRUE(reachable());
  target = {.type = TargetType::time, .time = Instant(std::chrono::seconds(50))};
  EXPECT_FALSE(reachable());
  EXPECT_TRUE(reachable({.lsn = {500}, .taken = Instant(std::chrono::seconds(40))}));
  EXPECT_FALSE(reachable({.lsn = {500}, .taken = Instant(std::chrono::seconds(60))}));
  target = {.type = TargetType::name, .name = "x"};
  EXPECT_FALSE(reachable());
}

// Asks for a list of positions and records what happens at each.
class RecordingVisitor : public PausePointVisitor {
 public:
  RecordingVisitor(std::vector<PausePoint> points, Words& events, std::optional<Lsn> failing = {})
      : points_(std::move(points)), events_(events), failing_(failing) {}

  std::vector<PausePoint> pause_points(const RepositoryContext& /*context*/) override {
    return points_;
  }
  void at_pause_point(const InstanceContext& context, const PausePoint& at) override {
    events_.push_back("at " + to_text(at.lsn) + " in " + context.databases.at(0));
    if (at.lsn == failing_) throw Error(ErrorKind::environment, "disk full");
  }
  void pause_point_unreachable(const PausePoint& at, const std::string& reason) override {
    events_.push_back("unreachable " + to_text(at.lsn) + ": " + reason);
  }
  void failed(const Error& error) override {
    events_.push_back(std::string("failed: ") + error.what());
  }

 private:
  std::vector<PausePoint> points_;
  Words& events_;
  std::optional<Lsn> failing_;
};

// The pause points of a check, as `comparison` has them.
class PausingCheck : public InstanceCheck {
 public:
  explicit PausingCheck(RecordingVisitor visitor) : visitor_(std::move(visitor)) {}
  PausePointVisitor* pause_point_visitor() override { return &visitor_; }
  CheckOutcome run(const LandedContext& /*context*/) override { return {}; }

 private:
  RecordingVisitor visitor_;
};

class PausePointsTest : public testing::Test {
 protected:
  PausePointsTest() { bench.databases = {"shop"}; }

  // As a drill does it: recovery ends at `end`.
  void visit(std::vector<PausePointVisitor*> visitors, Lsn end) {
    PausePoints points(visitors, bench.repository_context());
    for (const auto& at : points.all()) {
      if (at.lsn <= end) {
        points.reached(bench.instance_context(), at);
      } else {
        points.unreachable(at, "after the end of the archive");
      }
    }
  }

  CheckBench bench;
  Words check_events;
  Words list_events;
};

TEST_F(PausePointsTest, AListOfTargetsIsVisitedNextToTheCheckThatComparesOnTheWay) {
  PausingCheck check(RecordingVisitor({{.lsn = {2}}}, check_events));
  RecordingVisitor list({{.lsn = {9}}, {.lsn = {3}}, {.lsn = {1}}, {.lsn = {3}}}, list_events);
  visit({check.pause_point_visitor(), &list}, {5});
  EXPECT_EQ(check_events, (Words{"at 0/2 in shop"}));
  EXPECT_EQ(list_events, (Words{"at 0/1 in shop", "at 0/3 in shop",
                                "unreachable 0/9: after the end of the archive"}));
}

TEST_F(PausePointsTest, APositionThatTwoAskForIsVisitedOnce) {
  PausingCheck check(RecordingVisitor({{.lsn = {2}}}, check_events));
  RecordingVisitor list({{.lsn = {2}}}, list_events);
  PausePoints points(std::vector<PausePointVisitor*>{check.pause_point_visitor(), &list},
                     bench.repository_context());
  ASSERT_EQ(points.all().size(), 1U);
  points.reached(bench.instance_context(), points.all()[0]);
  EXPECT_EQ(check_events, (Words{"at 0/2 in shop"}));
  EXPECT_EQ(list_events, (Words{"at 0/2 in shop"}));
}

TEST_F(PausePointsTest, AVisitorThatFailedIsNotCalledAgainAndOthersAre) {
  RecordingVisitor failing({{.lsn = {1}}, {.lsn = {2}}}, check_events, Lsn{1});
  RecordingVisitor other({{.lsn = {1}}, {.lsn = {2}}}, list_events);
  visit({&failing, &other}, {5});
  EXPECT_EQ(check_events, (Words{"at 0/1 in shop", "failed: disk full"}));
  EXPECT_EQ(list_events, (Words{"at 0/1 in shop", "at 0/2 in shop"}));
}

TEST_F(PausePointsTest, AnInterruptionIsNotAFailureOfTheVisitor) {
  struct Interrupted : RecordingVisitor {
    using RecordingVisitor::RecordingVisitor;
    void at_pause_point(const InstanceContext&, const PausePoint&) override {
      throw Error(ErrorKind::interrupted, "interrupted");
    }
  };
  Interrupted visitor({{.lsn = {1}}}, list_events);
  EXPECT_THROW(visit({&visitor}, {5}), Error);
  EXPECT_EQ(list_events, Words{});
}

}  // namespace
}  // namespace pgrehearse
