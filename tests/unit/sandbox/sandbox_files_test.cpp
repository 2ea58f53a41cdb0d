#include "harness/sandbox/sandbox_files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class SandboxFiles : public testing::Test {
 protected:
  SandboxFiles() {
    std::string pattern = testing::TempDir() + "pgr-files-XXXXXX";
    top_ = mkdtemp(pattern.data());
    fs::create_directories(top_ / "sandbox/data/base/5");
    fs::create_directories(top_ / "production/base");
    std::ofstream(top_ / "production/base/file") << "of production\n";
    std::ofstream(top_ / "production/file") << "of production\n";
  }
  ~SandboxFiles() override { fs::remove_all(top_); }

  [[nodiscard]] bool production_is_complete() const {
    return fs::exists(top_ / "production/base/file") && fs::exists(top_ / "production/file");
  }

  fs::path top_;
};

TEST_F(SandboxFiles, RemovesATreeOfAnyFiles) {
  const auto data = top_ / "sandbox/data";
  for (int number = 0; number < 100; ++number) {
    std::ofstream(data / "base/5" / std::to_string(number)) << "x";
  }
  mkfifo((data / "pipe").c_str(), 0600);
  fs::create_directories(data / "a/b/c/d");
  remove_tree_of(current_account(), top_ / "sandbox");
  EXPECT_FALSE(fs::exists(top_ / "sandbox"));
}

TEST_F(SandboxFiles, FollowsNoLinkOutOfTheTree) {
  const auto data = top_ / "sandbox/data";
  fs::create_directory_symlink(top_ / "production", data / "pg_wal");
  fs::create_directory_symlink("../../../../production", data / "base/5/link");
  fs::create_symlink(top_ / "production/file", data / "file");
  remove_tree_of(current_account(), top_ / "sandbox");
  EXPECT_FALSE(fs::exists(top_ / "sandbox"));
  EXPECT_TRUE(production_is_complete());
}

// Code in the copy exchanges a directory and a link to production while the tree is removed.
TEST_F(SandboxFiles, FollowsNoLinkThatReplacesADirectoryDuringRemoval) {
  const auto directory = top_ / "sandbox/base";
  const auto link = top_ / "sandbox/link";
  for (int round = 0; round < 300 && production_is_complete(); ++round) {
    fs::remove_all(top_ / "sandbox");
    fs::create_directories(directory / "base");
    fs::create_directory_symlink(top_ / "production", link);
    // Ends with the removal too: the removal may leave both if they change places in between.
    const std::jthread exchanging([&](const std::stop_token& stop) {
      while (!stop.stop_requested() &&
             renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE) == 0) {
      }
    });
    remove_tree_of(current_account(), top_ / "sandbox");
  }
  EXPECT_TRUE(production_is_complete());
}

TEST_F(SandboxFiles, DoesNotRemoveWhatALinkInItsPlaceNames) {
  fs::remove_all(top_ / "sandbox");
  fs::create_directory_symlink(top_ / "production", top_ / "sandbox");
  remove_tree_of(current_account(), top_ / "sandbox");
  EXPECT_TRUE(production_is_complete());
}

TEST_F(SandboxFiles, CollectedLogsAreBoundedAndStaySparse) {
  const auto from = top_ / "sandbox/data";
  std::ofstream(from / "large.log") << "begin";
  fs::resize_file(from / "large.log", std::uintmax_t{1} << 40U);
  std::ofstream(from / "large.log", std::ios::app) << "end";
  for (int number = 0; number < 12; ++number) {
    const auto file = from / ("log" + std::to_string(number));
    std::ofstream(file) << "x";
    fs::resize_file(file, std::uintmax_t{32} << 20U);
  }
  copy_files_of(current_account(), from, top_ / "logs");
  std::uintmax_t bytes = 0;
  std::uintmax_t blocks = 0;
  for (const auto& entry : fs::directory_iterator(top_ / "logs")) {
    struct stat status {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    bytes += static_cast<std::uintmax_t>(status.st_size);
    blocks += static_cast<std::uintmax_t>(status.st_blocks);
  }
  EXPECT_LE(bytes, std::uintmax_t{256} << 20U);
  EXPECT_GT(bytes, std::uintmax_t{200} << 20U);
  EXPECT_LE(blocks * 512, std::uintmax_t{4} << 20U);
}

}  // namespace
}  // namespace pgrehearse
