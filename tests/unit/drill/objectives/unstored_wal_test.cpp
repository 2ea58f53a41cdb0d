#include "harness/drill/objectives/unstored_wal.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_repository.hpp"

namespace pgrehearse {
namespace {

class UnstoredWal : public testing::Test {
 protected:
  UnstoredWal() {
    archive.segment_size = FakeRepository::segment_bytes;
    backup.start_segment = "000000010000000000000002";
    for (const std::uint64_t number : {2, 3, 4}) add({.timeline = 1, .number = number});
  }
  void add(WalSegment segment) {
    archive.segments.push_back({.segment = segment, .file = "", .size = {}});
  }
  std::optional<WalRange> missing(const std::string& last) {
    status.last_archived = last;
    return unstored_wal(status, archive, backup);
  }

  ArchiverStatus status;
  ArchiveListing archive;
  Backup backup;
};

TEST_F(UnstoredWal, IsWhatTheArchiverReportsAndTheArchiveLacks) {
  EXPECT_EQ(missing("000000010000000000000004"), std::nullopt);
  EXPECT_EQ(missing("000000010000000000000005"), (WalRange{.timeline = 1, .first = 5, .last = 5}));
  EXPECT_EQ(missing("000000010000000000000009"), (WalRange{.timeline = 1, .first = 5, .last = 9}));
}

TEST_F(UnstoredWal, OfANewTimelineBeginsAfterItsParent) {
  EXPECT_EQ(missing("000000020000000000000006"), (WalRange{.timeline = 2, .first = 5, .last = 6}));
  EXPECT_EQ(missing("000000020000000000000004"), (WalRange{.timeline = 2, .first = 4, .last = 4}));
}

TEST_F(UnstoredWal, IgnoresWhatSaysNothingAboutSegments) {
  EXPECT_EQ(missing(""), std::nullopt);
  EXPECT_EQ(missing("00000002.history"), std::nullopt);
  EXPECT_EQ(missing("000000010000000000000009.00000028.backup"), std::nullopt);
  // Older than the backup: it may have expired.
  EXPECT_EQ(missing("000000010000000000000001"), std::nullopt);
  status.in_recovery = true;
  EXPECT_EQ(missing("000000010000000000000009"), std::nullopt);
}

TEST_F(UnstoredWal, ListsTheArchiveAgainBeforeItReports) {
  CallRecord calls;
  FakeRepository repository(calls);
  repository.archive_segment({.timeline = 1, .number = 5});
  status.last_archived = "000000010000000000000005";
  EXPECT_EQ(find_unstored_wal(status, archive, backup, repository, {}), std::nullopt);
  status.last_archived = "000000010000000000000006";
  EXPECT_EQ(find_unstored_wal(status, archive, backup, repository, {}),
            (WalRange{.timeline = 1, .first = 6, .last = 6}));
}

}  // namespace
}  // namespace pgrehearse
