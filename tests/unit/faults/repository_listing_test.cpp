#include "harness/faults/repository_listing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class RepositoryListingTest : public testing::Test {
 protected:
  RepositoryListingTest() {
    fs::remove_all(top);
    write("archive/shop/archive.info", "info");
    write("archive/shop/15-1/0000000100000000/" + segment("01", '0'), "wal");
    write("backup/shop/backup.info", "info");
    write("backup/shop/20261121-030000F/backup.manifest", "manifest");
  }
  ~RepositoryListingTest() override { fs::remove_all(top); }

  static std::string segment(const std::string& number, char timeline_digit) {
    return std::string("0000000") + (timeline_digit == '0' ? '1' : timeline_digit) +
           "00000000000000" + number + "-5bd7fa1f2b5b9c7a1d0b0bfa1d64bd64bd2ac47a.lz4";
  }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((top / file).parent_path());
    std::ofstream(top / file) << text;
  }
  [[nodiscard]] RepositoryListing list() const { return list_repository(top, "shop"); }
  RepositoryChange change_by(const std::function<void()>& command) const {
    const auto before = list();
    command();
    return changes_between(before, list());
  }

  fs::path top = testing::TempDir() + "pgr-listing-" + std::to_string(getpid());
};

TEST_F(RepositoryListingTest, ReadingChangesNothing) {
  const auto change = change_by([&] {
    std::ifstream in(top / "backup/shop/backup.info");
    std::string text;
    in >> text;
  });
  EXPECT_THAT(change.differences, IsEmpty());
  EXPECT_THAT(change.new_segments, IsEmpty());
}

TEST_F(RepositoryListingTest, ChangedContentOfSameSizeAndTimeIsDetected) {
  const auto file = top / "backup/shop/backup.info";
  const auto change = change_by([&] {
    const auto time = fs::last_write_time(file);
    std::fstream(file, std::ios::in | std::ios::out) << "INFO";
    fs::last_write_time(file, time);
  });
  EXPECT_THAT(change.differences, ElementsAre("changed: backup/shop/backup.info"));
}

TEST_F(RepositoryListingTest, NewHardLinkIsDetected) {
  const auto change = change_by([&] {
    fs::create_hard_link(top / "backup/shop/20261121-030000F/backup.manifest", top / "elsewhere");
  });
  EXPECT_THAT(change.differences,
              ElementsAre("changed: backup/shop/20261121-030000F/backup.manifest"));
}

TEST_F(RepositoryListingTest, RemovedAndNewFilesAreNamed) {
  const auto change = change_by([&] {
    fs::remove(top / "backup/shop/20261121-030000F/backup.manifest");
    write("archive/shop/15-1/00000002.history", "1\t0/2000000\tx\n");
  });
  EXPECT_THAT(change.differences,
              UnorderedElementsAre("gone: backup/shop/20261121-030000F/backup.manifest",
                                   "changed: backup/shop/20261121-030000F",
                                   "new: archive/shop/15-1/00000002.history",
                                   "changed: archive/shop/15-1"));
}

TEST_F(RepositoryListingTest, NewSegmentsOfThePrimaryAreAccepted) {
  const auto second = "archive/shop/15-1/0000000100000000/" + segment("02", '0');
  const auto later = "archive/shop/15-1/0000000100000001/" + segment("00", '0');
  const auto change = change_by([&] {
    write(second, "wal");
    write(later, "wal");
  });
  EXPECT_THAT(change.new_segments, UnorderedElementsAre(second, later));
  EXPECT_THAT(change.differences, IsEmpty());
}

TEST_F(RepositoryListingTest, SegmentOfANewTimelineIsADifference) {
  const auto stray = "archive/shop/15-1/0000000100000000/" + segment("02", '2');
  const auto change = change_by([&] { write(stray, "wal"); });
  EXPECT_THAT(change.new_segments, IsEmpty());
  EXPECT_THAT(change.differences, testing::Contains("new: " + stray));
}

TEST_F(RepositoryListingTest, MissingStanzaCannotBeListed) {
  EXPECT_THROW(list_repository(top, "shpo"), Error);
}

}  // namespace
}  // namespace pgrehearse
