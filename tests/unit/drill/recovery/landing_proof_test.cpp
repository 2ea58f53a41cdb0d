#include "harness/drill/recovery/landing_proof.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr std::uint64_t size = std::uint64_t{16} << 20U;

constexpr Lsn in_segment(std::uint64_t number, std::uint64_t offset) {
  return {number * size + offset};
}

TEST(TimelineOfLanding, ChangesAfterTheSwitch) {
  const WalLineage lineage{.segment_size = size,
                           .timeline = 2,
                           .switches = {{.timeline = 1, .switch_lsn = in_segment(5, 100)}},
                           .required = {{1, 3, 4}, {2, 5, 7}}};
  EXPECT_EQ(timeline_of_landing(lineage, {}, in_segment(4, 50)), 1U);
  EXPECT_EQ(timeline_of_landing(lineage, {}, in_segment(5, 100)), 1U);
  EXPECT_EQ(timeline_of_landing(lineage, {}, in_segment(5, 200)), 2U);
  EXPECT_EQ(timeline_of_landing(lineage, {}, in_segment(8, 0)), 2U);
}

TEST(TimelineOfLanding, StaysOnTheParentWhileTheChildHasNoSegment) {
  const WalLineage lineage{.segment_size = size,
                           .timeline = 2,
                           .switches = {{.timeline = 1, .switch_lsn = in_segment(5, 100)}},
                           .required = {{1, 3, 6}}};
  EXPECT_EQ(timeline_of_landing(lineage, {}, in_segment(5, 200)), 1U);
  EXPECT_EQ(timeline_of_landing(lineage, {}, in_segment(6, 200)), 1U);
  EXPECT_EQ(timeline_of_landing(lineage, {}, in_segment(7, 0)), 1U);
}

TEST(TimelineOfLanding, PrefersTheFileThatReplayFetchedToTheListing) {
  const WalLineage lineage{.segment_size = size,
                           .timeline = 2,
                           .switches = {{.timeline = 1, .switch_lsn = in_segment(5, 100)}},
                           .required = {{1, 3, 4}, {2, 5, 7}}};
  const std::vector<WalRequest> astray{{"000000020000000000000005", 1},
                                       {"000000010000000000000005", 0}};
  EXPECT_EQ(timeline_of_landing(lineage, astray, in_segment(5, 200)), 1U);
  const std::vector<WalRequest> newer{{"000000030000000000000007", 0}};
  EXPECT_EQ(timeline_of_landing(lineage, newer, in_segment(7, 200)), 3U);
}

}  // namespace
}  // namespace pgrehearse
