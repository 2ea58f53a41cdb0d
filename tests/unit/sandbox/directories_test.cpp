#include "harness/sandbox/directories.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class DirectoriesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-directories-XXXXXX").string();
    scratch_ = mkdtemp(pattern.data());
    umask_ = umask(077);
  }
  void TearDown() override {
    umask(umask_);
    fs::remove_all(scratch_);
  }

  fs::path scratch_;
  mode_t umask_ = 0;
};

TEST_F(DirectoriesTest, OpenDirectoriesIgnoreTheUmask) {
  make_open_directories(scratch_ / "a" / "b");
  for (const auto& path : {scratch_ / "a", scratch_ / "a" / "b"}) {
    EXPECT_EQ(fs::status(path).permissions(), fs::perms(0755)) << path;
  }
}

// Another drill that starts at the same time uses what it finds.
TEST_F(DirectoriesTest, OpenDirectoryIsNeverSeenWithoutItsMode) {
  for (int i = 0; i < 300; ++i) {
    const auto path = scratch_ / std::to_string(i);
    struct stat status {};
    std::jthread other([&] {
      while (stat(path.c_str(), &status) != 0) {
      }
    });
    make_open_directories(path);
    other.join();
    ASSERT_EQ(status.st_mode & 0777U, 0755U) << "round " << i;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch_), {}), 300) << "nothing is left behind";
}

TEST_F(DirectoriesTest, DirectoryCreatedByAnotherDrillMeanwhileIsUsed) {
  make_open_directories(scratch_ / "state");
  std::jthread other([&] { make_open_directories(scratch_ / "state" / "a" / "b"); });
  make_open_directories(scratch_ / "state" / "a" / "b");
  other.join();
  EXPECT_TRUE(fs::is_directory(scratch_ / "state" / "a" / "b"));
}

}  // namespace
}  // namespace pgrehearse
