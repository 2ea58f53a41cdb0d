#include "harness/repository/basebackup/archive_directory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/boost_command_runner.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

// An archive that looks shorter than it is would be restored and called complete.
TEST(ArchiveDirectory, ADirectoryThatCannotBeReadIsNotTheEndOfTheArchive) {
  std::string pattern = (fs::temp_directory_path() / "archive_directory_XXXXXX").string();
  const fs::path archive = mkdtemp(pattern.data());
  fs::permissions(archive, fs::perms(0755));
  std::ofstream(archive / "000000010000000000000001") << "";
  fs::create_directory(archive / "0000000100000001");
  EXPECT_EQ(list_archive_directory(archive).segments.size(), 1U);
  fs::permissions(archive / "0000000100000001", fs::perms::none);
  {
    const ActingAccount acting(geteuid() == 0 ? find_account("nobody") : current_account());
    EXPECT_THROW(list_archive_directory(archive), Error);
  }
  fs::permissions(archive / "0000000100000001", fs::perms(0755));
  fs::remove_all(archive);
}

class FetchFromDirectory : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "fetch_XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    fs::create_directories(archive() / "0000000100000000");
    fs::create_directory(incoming());
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] fs::path archive() const { return root_ / "archive"; }
  [[nodiscard]] fs::path incoming() const { return root_ / "incoming"; }

  CommandResult fetch(const std::string& restore_command = {}) {
    auto words = fetch_from_directory(archive(), restore_command, incoming());
    words.insert(words.end(), {segment, root_ / "fetched"});
    return runner_.run({.program = words.front(), .arguments = {words.begin() + 1, words.end()}},
                       {});
  }
  [[nodiscard]] std::string fetched() const {
    std::ifstream in(root_ / "fetched");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const fs::path& file, std::string_view text) const {
    std::ofstream(file, std::ios::binary) << text;
  }

  static constexpr const char* segment = "000000010000000000000007";
  BoostCommandRunner runner_;
  fs::path root_;
};

TEST_F(FetchFromDirectory, ASegmentMayWaitForTheArchive) {
  EXPECT_EQ(fetch().exit_code, 1);
  write(incoming() / segment, "waits");
  EXPECT_EQ(fetch().exit_code, 0);
  EXPECT_EQ(fetched(), "waits");
  write(archive() / "0000000100000000" / segment, "archived");
  EXPECT_EQ(fetch().exit_code, 0);
  EXPECT_EQ(fetched(), "archived");
}

TEST_F(FetchFromDirectory, ADamagedFileIsAnErrorThatSaysWhy) {
  write(archive() / segment, "\x1f\x8b not gzip");
  const auto result = fetch();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.error_output.starts_with("ERROR: [archive-get]: ")) << result.error_output;
  EXPECT_NE(result.error_output.find("cannot be decompressed: "), std::string::npos)
      << result.error_output;
  EXPECT_FALSE(fs::exists(root_ / "fetched"));
}

TEST_F(FetchFromDirectory, ARestoreCommandThatFailsForAnArchivedFileSaysWhy) {
  EXPECT_EQ(fetch("echo gone >&2; false %f %p").exit_code, 1);
  write(archive() / segment, "archived");
  const auto result = fetch("echo unreachable >&2; false %f %p");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.error_output.find("unreachable"), std::string::npos) << result.error_output;
}

}  // namespace
}  // namespace pgrehearse
