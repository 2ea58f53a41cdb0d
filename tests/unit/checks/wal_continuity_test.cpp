#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/physical_bench.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t segment_size = 16U << 20U;

class WalContinuityCheck : public testing::Test {
 protected:
  WalContinuityCheck() {
    bench.backup.label = "20261120-030000F";
    bench.backup.start_segment = "000000010000000000000003";
    bench.backup.stop_segment = "000000010000000000000004";
    bench.backup.stop_lsn = Lsn{0x4000100};
    bench.archive.segment_size = segment_size;
  }

  void archive(Timeline timeline, std::uint64_t first, std::uint64_t last) {
    for (auto number = first; number <= last; ++number) {
      const WalSegment segment{.timeline = timeline, .number = number};
      bench.archive.segments.push_back(
          {.segment = segment,
           .file = file_name(segment, segment_size) + "-" + std::string(40, 'a') + ".lz4",
           .size = Bytes{1}});
    }
  }

  CheckOutcome run() { return run_check("wal_continuity", bench); }

  CheckBench bench;
};

TEST_F(WalContinuityCheck, PassesWhenNothingIsMissing) {
  archive(1, 1, 9);
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_TRUE(outcome.findings.empty());
  EXPECT_EQ(outcome.summary,
            "7 segments from 0/3000000 to 0/A000000 on timeline 1, 0 missing, 0 timeline switches");
}

TEST_F(WalContinuityCheck, NamesAGapAndWhereRecoveryStops) {
  archive(1, 3, 6);
  archive(1, 9, 12);
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-WAL-GAP 000000010000000000000007"));
  EXPECT_EQ(outcome.findings[0].message,
            "2 segments are missing from the archive: 000000010000000000000007 to "
            "000000010000000000000008; recovery from this backup stops at 0/7000000; nothing after "
            "the gap can be recovered (4 segments after the gap cannot be used)");
  EXPECT_EQ(outcome.findings[0].details.at("missing"), "2");
  EXPECT_EQ(outcome.findings[0].details.at("last"), "000000010000000000000008");
}

TEST_F(WalContinuityCheck, SummarizesManyGaps) {
  for (std::uint64_t number = 3; number < 203; number += 2) archive(1, number, number);
  archive(1, 4, 4);
  std::ranges::sort(bench.archive.segments, {}, &ArchivedSegment::segment);
  const auto outcome = run();
  ASSERT_EQ(outcome.findings.size(), 21U);
  EXPECT_THAT(outcome.findings.back().message, HasSubstr("78 more gaps"));
}

TEST_F(WalContinuityCheck, ABackupWithoutItsOwnWalIsUnusable) {
  archive(1, 4, 9);
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-WAL-BACKUP 20261120-030000F",
                                                      "PGR-WAL-GAP 000000010000000000000003"));
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("is unusable"));
}

TEST_F(WalContinuityCheck, FailsWithoutAnyWal) {
  archive(1, 1, 2);
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-WAL-MISSING 000000010000000000000003"));
}

TEST_F(WalContinuityCheck, FailsOnAnEmptyArchiveWithUnknownSegmentSize) {
  bench.archive.segment_size = 0;
  EXPECT_EQ(run().verdict, Verdict::fail);
  archive(1, 3, 9);
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

TEST_F(WalContinuityCheck, FollowsTheTimelineOfTheTarget) {
  archive(1, 3, 9);
  archive(2, 2, 2);
  bench.archive.histories[2] = {{.timeline = 1, .switch_lsn = Lsn{0x2000028}}};
  auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-TIMELINE-NOT-CHILD 00000002.history"));
  bench.scenario.target.timeline = "current";
  outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
}

TEST_F(WalContinuityCheck, NotesOrphanedBranchesOfAFailover) {
  archive(1, 3, 9);
  archive(2, 7, 30);
  bench.archive.histories[2] = {{.timeline = 1, .switch_lsn = Lsn{0x7000028}}};
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-TIMELINE-BRANCH 000000010000000000000009"));
}

}  // namespace
}  // namespace pgrehearse
