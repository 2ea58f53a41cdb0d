#include "harness/history/coverage.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/sample_rows.hpp"

namespace pgrehearse {
namespace {

// A pass that restored a backup that ended at `from` o'clock and landed at `to` o'clock.
LedgerRow pass(const std::string& label, int from, int to) {
  auto row = passed_row("weekly", to + 1);
  const auto midnight = *parse_instant("2026-11-20T00:00:00Z");
  row.backup_label = label;
  row.backup_stopped = midnight + std::chrono::hours(from);
  row.landing_time = midnight + std::chrono::hours(to);
  return row;
}

TEST(Coverage, CountsPassesOfEachBackupAndMergesRanges) {
  const auto all = coverage_of({pass("B", 8, 9), pass("A", 0, 4), pass("A", 0, 6), pass("C", 5, 7),
                                failed_row("weekly", 12)});
  ASSERT_EQ(all.size(), 1U);
  const auto& coverage = all.front();
  EXPECT_EQ(coverage.stanza, "orders");
  ASSERT_EQ(coverage.backups.size(), 3U);
  EXPECT_EQ(coverage.backups[0].label, "C");
  EXPECT_EQ(coverage.backups[2].label, "A");
  EXPECT_EQ(coverage.backups[2].passes, 2U);
  EXPECT_EQ(coverage.backups[2].last_proved, pass("A", 0, 6).started);
  ASSERT_EQ(coverage.ranges.size(), 2U);
  EXPECT_EQ(coverage.ranges[0].from, *parse_instant("2026-11-20T00:00:00Z"));
  EXPECT_EQ(coverage.ranges[0].to, *parse_instant("2026-11-20T07:00:00Z"));
  EXPECT_EQ(coverage.ranges[0].last_proved, *parse_instant("2026-11-20T08:00:00Z"));
  EXPECT_EQ(coverage.ranges[1].from, *parse_instant("2026-11-20T08:00:00Z"));
}

TEST(Coverage, OneLabelInTwoRepositoriesIsTwoBackups) {
  auto second = pass("A", 0, 4);
  second.repository_key = 2;
  EXPECT_EQ(coverage_of({pass("A", 0, 4), second}).front().backups.size(), 2U);
}

TEST(Coverage, NothingIsProvedWithoutAPass) {
  EXPECT_TRUE(coverage_of({failed_row("weekly", 1), started_row("weekly", 2)}).empty());
}

}  // namespace
}  // namespace pgrehearse
