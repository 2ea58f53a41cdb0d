#include "harness/repository/wal_lineage.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

constexpr std::uint64_t mib = 1U << 20U;

ArchivedSegment archived(Timeline timeline, std::uint64_t number, std::uint64_t segment_size,
                         char content = 'a') {
  const WalSegment segment{.timeline = timeline, .number = number};
  return {.segment = segment,
          .file = file_name(segment, segment_size) + "-" + std::string(40, content) + ".lz4",
          .size = Bytes{4711}};
}

struct Run {
  Timeline timeline = 1;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

struct Fork {
  Timeline child = 2;
  std::vector<TimelineSwitch> ancestors;
};

ArchiveListing listing(std::initializer_list<Run> runs, std::initializer_list<Fork> forks = {},
                       std::uint64_t segment_size = 16 * mib) {
  ArchiveListing archive{.id = "15-1", .segment_size = segment_size};
  for (const auto& run : runs) {
    for (auto number = run.first; number <= run.last; ++number) {
      archive.segments.push_back(archived(run.timeline, number, segment_size));
    }
  }
  for (const auto& fork : forks) archive.histories[fork.child] = fork.ancestors;
  return archive;
}

Lsn at(std::uint64_t segment, std::uint64_t offset = 0x28, std::uint64_t size = 16 * mib) {
  return {segment * size + offset};
}

LineageRequest backup_from(std::uint64_t first, std::uint64_t last, std::string timeline = "latest",
                           Timeline on = 1) {
  return {.start = {on, first}, .stop = WalSegment{on, last}, .timeline = std::move(timeline)};
}

struct Case {
  std::string name;
  ArchiveListing archive;
  LineageRequest request;
  Timeline timeline = 1;
  std::vector<WalRange> required;
  std::vector<WalRange> gaps;
  std::vector<LineageProblemKind> problems;
  bool continuous = true;
  bool backup_complete = true;
  std::optional<WalSegment> last_reachable;
  std::uint64_t archive_end_segment = 0;  // the first one that is not in the archive any more
};

void PrintTo(const Case& layout, std::ostream* out) { *out << layout.name; }

class Layout : public testing::TestWithParam<Case> {};

TEST_P(Layout, IsTraced) {
  const auto& layout = GetParam();
  const auto lineage = trace_lineage(layout.archive, layout.request);
  EXPECT_EQ(lineage.timeline, layout.timeline);
  EXPECT_EQ(lineage.required, layout.required);
  EXPECT_EQ(lineage.gaps, layout.gaps);
  std::vector<LineageProblemKind> kinds;
  for (const auto& problem : lineage.problems) kinds.push_back(problem.kind);
  EXPECT_EQ(kinds, layout.problems);
  EXPECT_EQ(lineage.continuous(), layout.continuous);
  EXPECT_EQ(lineage.backup_complete, layout.backup_complete);
  EXPECT_EQ(lineage.last_reachable, layout.last_reachable);
  const auto size = layout.archive.segment_size;
  const auto reachable =
      layout.last_reachable ? layout.last_reachable->number + 1 : layout.request.start.number;
  EXPECT_EQ(lineage.reachable_end, start_of({0, reachable}, size));
  EXPECT_EQ(lineage.archive_end, start_of({0, layout.archive_end_segment}, size));
  EXPECT_EQ(lineage.required_count,
            lineage.missing_count + lineage.before_first_gap + lineage.after_first_gap);
}

std::vector<Case> one_timeline() {
  auto sparse = listing({{1, 3, 4}, {1, 7, 7}, {1, 9, 10}});
  return {
      {.name = "whole",
       .archive = listing({{1, 1, 9}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "only_the_backup",
       .archive = listing({{1, 3, 4}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 4}},
       .last_reachable = WalSegment{1, 4},
       .archive_end_segment = 5},
      {.name = "gap_in_the_middle",
       .archive = listing({{1, 3, 6}, {1, 9, 12}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 12}},
       .gaps = {{1, 7, 8}},
       .continuous = false,
       .last_reachable = WalSegment{1, 6},
       .archive_end_segment = 13},
      {.name = "gap_at_the_start",
       .archive = listing({{1, 4, 12}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 12}},
       .gaps = {{1, 3, 3}},
       .continuous = false,
       .backup_complete = false,
       .archive_end_segment = 13},
      {.name = "several_gaps",
       .archive = sparse,
       .request = backup_from(3, 3),
       .required = {{1, 3, 10}},
       .gaps = {{1, 5, 6}, {1, 8, 8}},
       .continuous = false,
       .last_reachable = WalSegment{1, 4},
       .archive_end_segment = 11},
      {.name = "gap_before_the_backup_does_not_matter",
       .archive = listing({{1, 1, 1}, {1, 3, 9}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "end_of_the_backup_missing",
       .archive = listing({{1, 3, 5}}),
       .request = backup_from(3, 7),
       .required = {{1, 3, 7}},
       .gaps = {{1, 6, 7}},
       .continuous = false,
       .backup_complete = false,
       .last_reachable = WalSegment{1, 5},
       .archive_end_segment = 6},
      {.name = "empty_archive",
       .archive = listing({}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 4}},
       .gaps = {{1, 3, 4}},
       .continuous = false,
       .backup_complete = false,
       .archive_end_segment = 3},
      {.name = "nothing_since_the_backup_began",
       .archive = listing({{1, 1, 2}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 4}},
       .gaps = {{1, 3, 4}},
       .continuous = false,
       .backup_complete = false,
       .archive_end_segment = 3},
  };
}

std::vector<Case> other_segment_sizes() {
  return {
      // 4096 segments of 1 MB to an id, 64 of 64 MB: the names roll over, the numbers do not.
      {.name = "one_megabyte_segments_over_an_id",
       .archive = listing({{1, 4090, 4100}}, {}, mib),
       .request = backup_from(4092, 4093),
       .required = {{1, 4092, 4100}},
       .last_reachable = WalSegment{1, 4100},
       .archive_end_segment = 4101},
      {.name = "64_megabyte_segments_over_an_id",
       .archive = listing({{1, 60, 63}, {1, 65, 66}}, {}, 64 * mib),
       .request = backup_from(60, 60),
       .required = {{1, 60, 66}},
       .gaps = {{1, 64, 64}},
       .continuous = false,
       .last_reachable = WalSegment{1, 63},
       .archive_end_segment = 67},
      {.name = "sixteen_megabyte_segments_over_an_id",
       .archive = listing({{1, 254, 258}}),
       .request = backup_from(254, 254),
       .required = {{1, 254, 258}},
       .last_reachable = WalSegment{1, 258},
       .archive_end_segment = 259},
  };
}

std::vector<Case> over_switches() {
  return {
      {.name = "switch_within_a_segment",
       .archive = listing({{1, 3, 6}, {2, 7, 9}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(3, 4),
       .timeline = 2,
       .required = {{1, 3, 6}, {2, 7, 9}},
       .last_reachable = WalSegment{2, 9},
       .archive_end_segment = 10},
      {.name = "switch_at_a_segment_boundary",
       .archive = listing({{1, 3, 6}, {2, 7, 9}}, {{2, {{1, at(7, 0)}}}}),
       .request = backup_from(3, 4),
       .timeline = 2,
       .required = {{1, 3, 6}, {2, 7, 9}},
       .last_reachable = WalSegment{2, 9},
       .archive_end_segment = 10},
      {.name = "missing_at_the_switch_on_the_new_timeline",
       .archive = listing({{1, 3, 7}, {2, 8, 9}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(3, 4),
       .timeline = 2,
       .required = {{1, 3, 6}, {2, 7, 9}},
       .gaps = {{2, 7, 7}},
       .continuous = false,
       .last_reachable = WalSegment{1, 6},
       .archive_end_segment = 10},
      {.name = "missing_at_the_switch_on_the_old_timeline",
       .archive = listing({{1, 3, 5}, {2, 7, 9}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(3, 4),
       .timeline = 2,
       .required = {{1, 3, 6}, {2, 7, 9}},
       .gaps = {{1, 6, 6}},
       .continuous = false,
       .last_reachable = WalSegment{1, 5},
       .archive_end_segment = 10},
      {.name = "two_switches_in_one_segment",
       .archive = listing({{1, 3, 6}, {2, 7, 7}, {3, 7, 9}},
                          {{2, {{1, at(7)}}}, {3, {{1, at(7)}, {2, at(7, 0x4000)}}}}),
       .request = backup_from(3, 4),
       .timeline = 3,
       .required = {{1, 3, 6}, {3, 7, 9}},
       .last_reachable = WalSegment{3, 9},
       .archive_end_segment = 10},
      {.name = "switch_in_the_last_segment_of_the_backup",
       .archive = listing({{1, 3, 3}, {2, 4, 6}}, {{2, {{1, at(4, 0x9000)}}}}),
       .request = {.start = {1, 3},
                   .stop = WalSegment{1, 4},
                   .stop_lsn = at(4, 0x8000),
                   .timeline = "latest"},
       .timeline = 2,
       .required = {{1, 3, 3}, {2, 4, 6}},
       .last_reachable = WalSegment{2, 6},
       .archive_end_segment = 7},
      {.name = "backup_of_a_later_timeline_needs_no_older_history",
       .archive = listing({{2, 9, 12}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(9, 10, "latest", 2),
       .timeline = 2,
       .required = {{2, 9, 12}},
       .last_reachable = WalSegment{2, 12},
       .archive_end_segment = 13},
      {.name = "side_branch_is_not_needed",
       .archive =
           listing({{1, 3, 6}, {2, 5, 8}, {3, 7, 9}}, {{2, {{1, at(5)}}}, {3, {{1, at(7)}}}}),
       .request = backup_from(3, 4),
       .timeline = 3,
       .required = {{1, 3, 6}, {3, 7, 9}},
       .last_reachable = WalSegment{3, 9},
       .archive_end_segment = 10},
      {.name = "current_stays_on_the_timeline_of_the_backup",
       .archive = listing({{1, 3, 9}, {2, 7, 8}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(3, 4, "current"),
       .required = {{1, 3, 9}},
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "stated_timeline",
       .archive = listing({{1, 3, 6}, {2, 7, 8}, {3, 8, 9}},
                          {{2, {{1, at(7)}}}, {3, {{1, at(7)}, {2, at(8)}}}}),
       .request = backup_from(3, 4, "2"),
       .timeline = 2,
       .required = {{1, 3, 6}, {2, 7, 8}},
       .last_reachable = WalSegment{2, 8},
       .archive_end_segment = 9},
      {.name = "empty_new_timeline_shows_the_gap_before_it",
       .archive = listing({{1, 3, 4}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(3, 4),
       .timeline = 2,
       .required = {{1, 3, 6}},
       .gaps = {{1, 5, 6}},
       .problems = {LineageProblemKind::empty_timeline},
       .continuous = false,
       .last_reachable = WalSegment{1, 4},
       .archive_end_segment = 5},
  };
}

std::vector<Case> poisoned() {
  return {
      {.name = "fork_before_the_backup",
       .archive = listing({{1, 1, 9}, {2, 2, 2}}, {{2, {{1, at(2)}}}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .problems = {LineageProblemKind::not_a_child},
       .continuous = false,
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "fork_within_the_backup",
       .archive = listing({{1, 3, 9}}, {{2, {{1, at(4)}}}}),
       .request = {.start = {1, 3},
                   .stop = WalSegment{1, 4},
                   .stop_lsn = at(4, 0x100),
                   .timeline = "latest"},
       .required = {{1, 3, 9}},
       .problems = {LineageProblemKind::not_a_child},
       .continuous = false,
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "no_child_of_the_timeline_of_the_backup",
       .archive = listing({{2, 3, 9}, {3, 7, 9}}, {{2, {{1, at(2)}}}, {3, {{1, at(7)}}}}),
       .request = backup_from(3, 4, "latest", 2),
       .timeline = 2,
       .required = {{2, 3, 9}},
       .problems = {LineageProblemKind::not_a_child},
       .continuous = false,
       .last_reachable = WalSegment{2, 9},
       .archive_end_segment = 10},
      {.name = "a_rehearsal_was_archived_and_production_went_on",
       .archive = listing({{1, 3, 40}, {2, 7, 7}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(3, 4),
       .timeline = 2,
       .required = {{1, 3, 6}, {2, 7, 7}},
       .problems = {LineageProblemKind::abandoned_branch},
       .continuous = false,
       .last_reachable = WalSegment{2, 7},
       .archive_end_segment = 8},
      {.name = "a_failed_primary_archived_a_little_more",
       .archive = listing({{1, 3, 9}, {2, 7, 30}}, {{2, {{1, at(7)}}}}),
       .request = backup_from(3, 4),
       .timeline = 2,
       .required = {{1, 3, 6}, {2, 7, 30}},
       .problems = {LineageProblemKind::abandoned_branch},
       .last_reachable = WalSegment{2, 30},
       .archive_end_segment = 31},
      {.name = "history_file_missing",
       .archive = listing({{1, 3, 6}, {2, 7, 9}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 6}},
       .problems = {LineageProblemKind::missing_history},
       .continuous = false,
       .last_reachable = WalSegment{1, 6},
       .archive_end_segment = 7},
      {.name = "history_file_missing_on_the_way_to_the_newest",
       .archive = listing({{1, 3, 6}, {2, 7, 7}, {3, 8, 9}}, {{3, {{1, at(7)}, {2, at(8)}}}}),
       .request = backup_from(3, 4),
       .required = {{1, 3, 6}},
       .problems = {LineageProblemKind::missing_history},
       .continuous = false,
       .last_reachable = WalSegment{1, 6},
       .archive_end_segment = 7},
      {.name = "stated_timeline_without_history",
       .archive = listing({{1, 3, 6}}),
       .request = backup_from(3, 4, "5"),
       .required = {{1, 3, 6}},
       .problems = {LineageProblemKind::unknown_timeline},
       .continuous = false,
       .last_reachable = WalSegment{1, 6},
       .archive_end_segment = 7},
  };
}

std::vector<Case> damaged() {
  auto twice = listing({{1, 3, 9}});
  twice.segments.push_back(archived(1, 6, 16 * mib, 'b'));
  auto same = listing({{1, 3, 9}});
  same.segments.push_back(archived(1, 6, 16 * mib));
  auto empty = listing({{1, 3, 9}});
  empty.segments[1].size = Bytes{0};
  auto raw = listing({{1, 3, 9}});
  for (auto& file : raw.segments) {
    file.file.erase(file.file.rfind('.'));
    file.size = Bytes{16 * mib};
  }
  auto truncated = raw;
  truncated.segments[4].size = Bytes{16 * mib - 1};
  auto encrypted = raw;
  for (auto& file : encrypted.segments) file.size = Bytes{16 * mib + 32};
  auto encrypted_request = backup_from(3, 4);
  encrypted_request.encrypted = true;
  auto partial = listing({{1, 3, 7}, {1, 9, 9}});
  partial.segments.push_back(archived(1, 8, 16 * mib));
  partial.segments.back().file.insert(24, ".partial");
  return {
      {.name = "duplicate_with_other_content",
       .archive = twice,
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .problems = {LineageProblemKind::duplicate},
       .continuous = false,
       .last_reachable = WalSegment{1, 5},
       .archive_end_segment = 10},
      {.name = "duplicate_with_the_same_content",
       .archive = same,
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "empty_file_within_the_backup",
       .archive = empty,
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .problems = {LineageProblemKind::wrong_size},
       .continuous = false,
       .backup_complete = false,
       .last_reachable = WalSegment{1, 3},
       .archive_end_segment = 10},
      {.name = "uncompressed",
       .archive = raw,
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "uncompressed_and_truncated",
       .archive = truncated,
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .problems = {LineageProblemKind::wrong_size},
       .continuous = false,
       .last_reachable = WalSegment{1, 6},
       .archive_end_segment = 10},
      {.name = "uncompressed_and_encrypted",
       .archive = encrypted,
       .request = encrypted_request,
       .required = {{1, 3, 9}},
       .last_reachable = WalSegment{1, 9},
       .archive_end_segment = 10},
      {.name = "partial_segment_does_not_count",
       .archive = partial,
       .request = backup_from(3, 4),
       .required = {{1, 3, 9}},
       .gaps = {{1, 8, 8}},
       .continuous = false,
       .last_reachable = WalSegment{1, 7},
       .archive_end_segment = 10},
  };
}

const auto case_name = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(OneTimeline, Layout, testing::ValuesIn(one_timeline()), case_name);
INSTANTIATE_TEST_SUITE_P(SegmentSizes, Layout, testing::ValuesIn(other_segment_sizes()), case_name);
INSTANTIATE_TEST_SUITE_P(Switches, Layout, testing::ValuesIn(over_switches()), case_name);
INSTANTIATE_TEST_SUITE_P(Poisoned, Layout, testing::ValuesIn(poisoned()), case_name);
INSTANTIATE_TEST_SUITE_P(Damaged, Layout, testing::ValuesIn(damaged()), case_name);

TEST(WalLineage, CountsBeforeAndBehindTheFirstGap) {
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
  EXPECT_EQ(lineage.problems[0].message,
            "timeline 2 left timeline 1 at 0/2000028, before the backup ended at 0/4000000");
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
  backup.start_segment.clear();
  EXPECT_THROW(lineage_request(backup, "current", 16 * mib), Error);
}

TEST(ArchiveEnd, IsReachedWithinTheLastSegment) {
  const Lsn end{0x8000000};
  EXPECT_TRUE(reaches_archive_end(end, end, 16 * mib));
  EXPECT_TRUE(reaches_archive_end(Lsn{0x7000028}, end, 16 * mib));
  EXPECT_FALSE(reaches_archive_end(Lsn{0x7000000}, end, 16 * mib));
}

}  // namespace
}  // namespace pgrehearse
