#include "harness/repository/target_window.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/thrown_error.hpp"
#include "tests/unit/repository/wal_layouts.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

class TargetWindow : public testing::Test {
 protected:
  TargetWindow() {
    for (const std::uint64_t number : {3, 4, 5}) {
      archive.segments.push_back(archived(1, number, 16 * mib));
    }
  }
  void require(const RecoveryTarget& target) const {
    const LineageRequest request{.start = {1, 3}, .timeline = target.timeline};
    require_possible_target(target, archive, trace_lineage(archive, request), now);
  }
  void expect_refused(const RecoveryTarget& target, FindingCode code) const {
    const auto error = error_of([&] { require(target); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.code(), code);
  }

  Instant now{std::chrono::seconds(1'795'143'600)};
  ArchiveListing archive{.segment_size = 16 * mib};
};

TEST_F(TargetWindow, DoesNotContainTheFuture) {
  expect_refused({.type = TargetType::time, .time = now + std::chrono::hours(5)},
                 FindingCode::target_not_reached);
  EXPECT_NO_THROW(require({.type = TargetType::time, .time = now}));
}

TEST_F(TargetWindow, EndsWithTheArchiveForAnLsn) {
  EXPECT_NO_THROW(require({.type = TargetType::lsn, .lsn = Lsn{6 * 16 * mib}}));
  expect_refused({.type = TargetType::lsn, .lsn = Lsn{6 * 16 * mib + 1}},
                 FindingCode::target_not_reached);
}

// The scenario may be right, and the archive is not.
TEST_F(TargetWindow, IsNotJudgedByAnArchiveWithAGap) {
  archive.segments.erase(archive.segments.begin() + 1);
  EXPECT_NO_THROW(require({.type = TargetType::lsn, .lsn = Lsn{7 * 16 * mib}}));
}

TEST_F(TargetWindow, HasOnlyTheTimelinesOfTheArchive) {
  expect_refused({.timeline = "7"}, FindingCode::timeline_missing);
  EXPECT_THAT(error_of([&] { require({.timeline = "7"}); }).hint(),
              HasSubstr("timelines in the archive: 1;"));
  EXPECT_NO_THROW(require({.timeline = "1"}));
  // Its history file was lost.
  archive.segments.push_back(archived(2, 5, 16 * mib));
  EXPECT_NO_THROW(require({.timeline = "2"}));
}

}  // namespace
}  // namespace pgrehearse
