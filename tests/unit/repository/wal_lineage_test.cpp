#include "harness/repository/wal_lineage.hpp"

#include "harness/common/error.hpp"
#include "tests/unit/repository/wal_layouts.hpp"

namespace pgrehearse {
namespace {

TEST(WalLineage, CountsSegmentsBeforeAndAfterTheFirstGap) {
  const auto lineage = trace_lineage(listing({{1, 3, 6}, {1, 9, 12}}), backup_from(3, 4));
  EXPECT_EQ(lineage.required_count, 10U);
  EXPECT_EQ(lineage.missing_count, 2U);
  EXPECT_EQ(lineage.before_first_gap, 4U);
  EXPECT_EQ(lineage.after_first_gap, 4U);
  EXPECT_EQ(lineage.required_bytes.count, 8U * 4711U);
}

TEST(WalLineage, HugeStraySegmentTakesNoTime) {
  auto archive = listing({{1, 3, 6}});
  archive.segments.push_back(archived(1, 0xFFFFFFFF00ULL, 16 * mib));
  const auto lineage = trace_lineage(archive, backup_from(3, 4));
  ASSERT_EQ(lineage.gaps.size(), 1U);
  EXPECT_EQ(lineage.gaps[0], (WalRange{1, 7, 0xFFFFFFFEFFULL}));
}

TEST(WalLineage, MessagesNameTimelineAndPosition) {
  const auto lineage = trace_lineage(listing({{1, 1, 9}}, {{2, {{1, at(2)}}}}), backup_from(3, 4));
  ASSERT_EQ(lineage.problems.size(), 1U);
  EXPECT_EQ(lineage.problems[0].object, "00000002.history");
  EXPECT_EQ(
      lineage.problems[0].message,
      "timeline 2 branches off timeline 1 at 0/2000028, before the backup ended at 0/4000000");
}

TEST(LineageRequest, ComesFromTheBackup) {
  Backup backup;
  backup.label = "20261120-030000F";
  backup.start_segment = "000000020000000000000003";
  backup.stop_segment = "000000020000000000000004";
  backup.stop_lsn = Lsn{0x4000100};
  const auto request = lineage_request(backup, "current", 16 * mib);
  EXPECT_EQ(request.start, (WalSegment{2, 3}));
  EXPECT_EQ(request.stop, (WalSegment{2, 4}));
  EXPECT_EQ(request.timeline, "current");
  backup.start_segment = "half a name";
  EXPECT_THROW(lineage_request(backup, "current", 16 * mib), Error);
}

// An offline backup names no segment: it needs none.
TEST(LineageRequest, OfAnOfflineBackupBeginsAfterTheNewestGap) {
  ArchiveListing archive{.segment_size = 16 * mib};
  auto lineage = trace_lineage(archive, lineage_request(Backup{}, "latest", 16 * mib));
  EXPECT_TRUE(lineage.continuous());
  EXPECT_TRUE(lineage.backup_complete);
  EXPECT_EQ(lineage.required_count, 0U);
  for (const std::uint64_t number : {3, 5, 6}) {
    archive.segments.push_back(archived(1, number, 16 * mib));
  }
  lineage = trace_lineage(archive, lineage_request(Backup{}, "latest", 16 * mib));
  EXPECT_TRUE(lineage.continuous());
  EXPECT_EQ(lineage.required, (std::vector<WalRange>{{1, 5, 6}}));
  EXPECT_EQ(lineage.archive_end, Lsn{7 * 16 * mib});
}

TEST(ArchiveEnd, IsReachedWithinTheLastSegment) {
  const Lsn end{0x8000000};
  EXPECT_TRUE(reaches_archive_end(end, end, 16 * mib));
  EXPECT_TRUE(reaches_archive_end(Lsn{0x7000028}, end, 16 * mib));
  EXPECT_FALSE(reaches_archive_end(Lsn{0x7000000}, end, 16 * mib));
}

}  // namespace
}  // namespace pgrehearse
