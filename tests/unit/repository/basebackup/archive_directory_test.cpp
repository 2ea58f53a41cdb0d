#include "harness/repository/basebackup/archive_directory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/process/acting_account.hpp"

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

}  // namespace
}  // namespace pgrehearse
