#include "harness/reporting/html/recovery_timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string_view> kinds_of(const RecoveryTimeline& timeline) {
  std::vector<std::string_view> kinds;
  for (const auto& bar : timeline.bars) kinds.push_back(bar.kind);
  return kinds;
}

TEST(RecoveryTimelineTest, ShowsBackupReplayAndWhatWasNotRecovered) {
  const auto timeline = recovery_timeline(passed_report());
  ASSERT_TRUE(timeline);
  EXPECT_THAT(kinds_of(*timeline), ElementsAre("backup", "replayed", "lost"));
  EXPECT_THAT(timeline->description, HasSubstr("WAL replayed up to 2026-11-20 02:58:31 UTC"));
  EXPECT_DOUBLE_EQ(timeline->bars.front().x, 10) << "the picture starts with the backup";
  EXPECT_GE(timeline->bars.front().width, 4) << "9 s of an hour would be too thin to see";
  EXPECT_DOUBLE_EQ(timeline->ticks.back().x, 990) << "and ends with the drill";
}

TEST(RecoveryTimelineTest, ShowsTheFirstWithheldTransactionOfAPointInTime) {
  auto report = passed_report();
  report.landing->first_withheld =
      TransactionMark{.xid = 81235, .time = *parse_instant("2026-11-20T02:59:00Z")};
  const auto timeline = recovery_timeline(report);
  ASSERT_TRUE(timeline);
  EXPECT_THAT(kinds_of(*timeline), ElementsAre("backup", "replayed", "withheld"));
  EXPECT_THAT(timeline->bars.back().tip, HasSubstr("81235"));
}

TEST(RecoveryTimelineTest, NothingIsDrawnBeyondTheEdges) {
  auto report = passed_report();
  report.rpo.measured = 1e9;
  for (const auto& bar : recovery_timeline(report)->bars) {
    EXPECT_GE(bar.x, 10);
    EXPECT_LE(bar.x + bar.width, 990.001);
  }
}

TEST(RecoveryTimelineTest, MarksAreInTheOrderOfTime) {
  const auto timeline = recovery_timeline(passed_report());
  ASSERT_EQ(timeline->marks.size(), 3U);
  EXPECT_THAT(timeline->marks[0].text, HasSubstr("backup ended"));
  EXPECT_THAT(timeline->marks[1].text, HasSubstr("recovered up to"));
  EXPECT_THAT(timeline->marks[2].text, HasSubstr("drill started"));
}

TEST(RecoveryTimelineTest, NoPictureWithoutTwoTimes) {
  EXPECT_FALSE(recovery_timeline(minimal_report()));
  EXPECT_TRUE(recovery_timeline(killed_report())) << "the backup and the start of the drill";
}

}  // namespace
}  // namespace pgrehearse
