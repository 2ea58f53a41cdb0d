#include "harness/sandbox/scratch_directory.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "harness/common/error.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class ScratchDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-scratch-XXXXXX").string();
    state_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(state_); }

  fs::path state_;
};

TEST_F(ScratchDirectoryTest, IsRemovedWithItsEntry) {
  { const ScratchDirectory scratch(state_, "run", current_account()); }
  EXPECT_FALSE(fs::exists(state_ / "sandboxes" / "run"));
  EXPECT_TRUE(Registry(state_).list().empty());
}

TEST_F(ScratchDirectoryTest, IsNotRegisteredWhenItCannotBeCreated) {
  fs::create_directory(state_ / "sandboxes");
  std::ofstream(state_ / "sandboxes" / "run") << "in the way";
  EXPECT_THROW(ScratchDirectory(state_, "run", current_account()), Error);
  EXPECT_TRUE(Registry(state_).list().empty());
}

// What stays must stay registered: nobody would look for it otherwise.
TEST_F(ScratchDirectoryTest, StaysRegisteredWhenItCannotBeRemoved) {
  const bool root = geteuid() == 0;
  fs::path stubborn;
  {
    const ScratchDirectory scratch(state_, "run", current_account());
    stubborn = scratch.path() / "stubborn";
    fs::create_directory(stubborn);
    if (root && mount("tmpfs", stubborn.c_str(), "tmpfs", 0, "size=64k") != 0) {
      static_cast<void>(require_or_skip("this account may not mount", Remedy::none));
      return;
    }
    std::ofstream(stubborn / "file") << "content";
    if (!root) fs::permissions(stubborn, fs::perms(0500));
  }
  EXPECT_TRUE(fs::exists(stubborn));
  const auto listed = Registry(state_).list();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].entry.run_id, "run");
  EXPECT_FALSE(listed[0].alive);
  if (root) {
    umount2(stubborn.c_str(), MNT_DETACH);
  } else {
    fs::permissions(stubborn, fs::perms(0700));
  }
}

}  // namespace
}  // namespace pgrehearse
