#include "harness/process/confinement.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <functional>

#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class WriteConfinementTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-confine-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    fs::create_directories(root_ / "inside/a");
    fs::create_directories(root_ / "inside/b");
    fs::create_directories(root_ / "outside");
    std::ofstream(root_ / "outside/file") << "data";
    std::ofstream(root_ / "inside/file") << "data";
    const std::vector<fs::path> paths{root_ / "inside", root_ / "does-not-exist", "/dev/null"};
    confinement_ = WriteConfinement::prepare(paths);
    static_cast<void>(
        require_or_skip(confinement_ ? "" : "this kernel has no Landlock", Remedy::none));
  }
  void TearDown() override { fs::remove_all(root_); }

  // What `action` returns in a confined child: 0 or an errno.
  [[nodiscard]] int confined(const std::function<int()>& action) const {
    const pid_t child = fork();
    if (child == 0) {
      const int failure = WriteConfinement::apply(confinement_->fd());
      _exit(failure != 0 ? 200 : action());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  }
  [[nodiscard]] int opened(const fs::path& path, int flags) const {
    return confined([&] { return open(path.c_str(), flags, 0600) < 0 ? errno : 0; });
  }

  fs::path root_;
  std::optional<WriteConfinement> confinement_;
};

TEST_F(WriteConfinementTest, AllowsWritesInside) {
  EXPECT_EQ(opened(root_ / "inside/new", O_WRONLY | O_CREAT), 0);
  EXPECT_TRUE(fs::exists(root_ / "inside/new"));
  EXPECT_EQ(opened(root_ / "inside/file", O_WRONLY | O_TRUNC), 0);
  EXPECT_EQ(opened("/dev/null", O_WRONLY), 0);
}

TEST_F(WriteConfinementTest, RejectsWritesOutside) {
  EXPECT_EQ(opened(root_ / "outside/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_FALSE(fs::exists(root_ / "outside/new"));
  EXPECT_EQ(opened(root_ / "outside/file", O_WRONLY), EACCES);
  EXPECT_EQ(confined([&] { return unlink((root_ / "outside/file").c_str()) == 0 ? 0 : errno; }),
            EACCES);
  EXPECT_EQ(confined([&] { return mkdir((root_ / "outside/d").c_str(), 0700) == 0 ? 0 : errno; }),
            EACCES);
}

TEST_F(WriteConfinementTest, AllowsReadingOutside) {
  EXPECT_EQ(opened(root_ / "outside/file", O_RDONLY), 0);
}

TEST_F(WriteConfinementTest, AppliesToGrandchildren) {
  const auto file = root_ / "outside/new";
  EXPECT_NE(confined([&] {
              execl("/usr/bin/touch", "touch", file.c_str(), nullptr);
              return 0;
            }),
            0);
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(WriteConfinementTest, AllowsRenamesBetweenDirectoriesInside) {
  const int result = confined([&] {
    return rename((root_ / "inside/file").c_str(), (root_ / "inside/a/file").c_str()) == 0 ? 0
                                                                                           : errno;
  });
  // The first version of Landlock does not support renames between directories.
  EXPECT_TRUE(result == 0 || result == EXDEV) << result;
}

TEST_F(WriteConfinementTest, DoesNotApplyToTheParent) {
  EXPECT_EQ(opened(root_ / "inside/new", O_WRONLY | O_CREAT), 0);
  EXPECT_TRUE(std::ofstream(root_ / "outside/parent").good());
}

}  // namespace
}  // namespace pgrehearse
