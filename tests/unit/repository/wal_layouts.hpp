// Archive layouts: what is in an archive, what a recovery asks of it, and what the lineage must
// say.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

constexpr std::uint64_t mib = 1U << 20U;

inline ArchivedSegment archived(Timeline timeline, std::uint64_t number, std::uint64_t segment_size,
                                char content = 'a') {
  const WalSegment segment{.timeline = timeline, .number = number};
  return {.segment = segment,
          .file = file_name(segment, segment_size) + "-" + std::string(40, content) + ".lz4",
          .size = Bytes{4711}};
}

struct SegmentRun {
  Timeline timeline = 1;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

struct TimelineFork {
  Timeline child = 2;
  std::vector<TimelineSwitch> ancestors;
};

inline ArchiveListing listing(std::initializer_list<SegmentRun> runs,
                              std::initializer_list<TimelineFork> forks = {},
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

inline Lsn at(std::uint64_t segment, std::uint64_t offset = 0x28, std::uint64_t size = 16 * mib) {
  return {segment * size + offset};
}

inline LineageRequest backup_from(std::uint64_t first, std::uint64_t last,
                                  std::string timeline = "latest", Timeline on = 1) {
  return {.start = {on, first}, .stop = WalSegment{on, last}, .timeline = std::move(timeline)};
}

struct ArchiveLayout {
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
  std::optional<Lsn> reachable_end = {};  // within `last_reachable`; none: its end
};

inline void PrintTo(const ArchiveLayout& layout, std::ostream* out) { *out << layout.name; }

inline void expect_traced(const ArchiveLayout& layout) {
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
  EXPECT_EQ(lineage.reachable_end, layout.reachable_end.value_or(start_of({0, reachable}, size)));
  EXPECT_EQ(lineage.archive_end, start_of({0, layout.archive_end_segment}, size));
  EXPECT_EQ(lineage.required_count,
            lineage.missing_count + lineage.before_first_gap + lineage.after_first_gap);
}

class Layout : public testing::TestWithParam<ArchiveLayout> {};

inline const auto layout_name = [](const auto& info) { return info.param.name; };

}  // namespace pgrehearse
