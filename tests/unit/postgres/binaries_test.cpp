#include "harness/postgres/binaries.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class Binaries : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-binaries-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  // A program whose text says what `--version` would print.
  void install(const fs::path& program, const std::string& text) const {
    fs::create_directories((root_ / program).parent_path());
    std::ofstream(root_ / program) << std::string(100, '\0') << text << '\0';
    fs::permissions(root_ / program, fs::perms::owner_all);
  }
  [[nodiscard]] BinaryLocations places(const std::string& path = "") const {
    return {.root = root_, .search_path = path};
  }

  fs::path root_;
};

TEST_F(Binaries, DebianAndRedHatDirectoriesAreFound) {
  install("usr/lib/postgresql/15/bin/postgres", "postgres (PostgreSQL) 15.4 (Debian 15.4-1)\n");
  install("usr/pgsql-17/bin/postgres", "postgres (PostgreSQL) 17beta1\n");
  EXPECT_EQ(find_binaries(15, {}, places()), root_ / "usr/lib/postgresql/15/bin");
  EXPECT_EQ(find_binaries(17, {}, places()), root_ / "usr/pgsql-17/bin");
  EXPECT_EQ(installed_majors(places()), (std::vector<int>{15, 17}));
}

TEST_F(Binaries, NewestInstalledMajorAndWhatToInstallWithoutAny) {
  try {
    newest_installed_major(places());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_EQ(error.what(), std::string("no PostgreSQL server binaries found"));
    EXPECT_EQ(error.hint().find("postgresql-0"), std::string::npos);
  }
  install("usr/lib/postgresql/15/bin/postgres", "postgres (PostgreSQL) 15.4\n");
  install("usr/pgsql-17/bin/postgres", "postgres (PostgreSQL) 17.1\n");
  EXPECT_EQ(newest_installed_major(places()), 17);
}

TEST_F(Binaries, DirectoryNameDoesNotDecideTheVersion) {
  install("usr/lib/postgresql/15/bin/postgres", "postgres (PostgreSQL) 14.9\n");
  EXPECT_THROW(find_binaries(15, {}, places()), Error);
}

TEST_F(Binaries, PathAndResolvedPgConfigDirectoryAreSearched) {
  install("opt/pg/bin/postgres", "postgres (PostgreSQL) 16.2\n");
  install("opt/pg/bin/pg_config", "");
  fs::create_directories(root_ / "usr/local/bin");
  fs::create_symlink(root_ / "opt/pg/bin/pg_config", root_ / "usr/local/bin/pg_config");
  EXPECT_EQ(find_binaries(16, {}, places((root_ / "usr/local/bin").string())),
            fs::canonical(root_) / "opt/pg/bin");
  EXPECT_EQ(find_binaries(16, {}, places((root_ / "opt/pg/bin").string())),
            fs::canonical(root_) / "opt/pg/bin");
}

TEST_F(Binaries, VersionOfAWrapperScriptIsThatOfTheBinaryNextToIt) {
  install("usr/lib/postgresql/15/bin/postgres", "#!/bin/sh\nexec elsewhere\n");
  install("usr/lib/postgresql/15/bin/pg_ctl", "pg_ctl (PostgreSQL) 15.4\n");
  EXPECT_EQ(find_binaries(15, {}, places()), root_ / "usr/lib/postgresql/15/bin");
}

TEST_F(Binaries, VersionStringAcrossTwoBlocksIsRead) {
  constexpr std::size_t block = std::size_t{1} << 20U;
  for (const std::size_t before_the_end : {10U, 22U, 23U, 24U}) {
    const std::string text =
        std::string(block - 100 - before_the_end, ' ') + "postgres (PostgreSQL) 15.4\n";
    install("usr/lib/postgresql/15/bin/postgres", text);
    EXPECT_EQ(find_binaries(15, {}, places()), root_ / "usr/lib/postgresql/15/bin");
  }
}

TEST_F(Binaries, OnlyTheConfiguredDirectoryIsSearched) {
  install("usr/lib/postgresql/15/bin/postgres", "postgres (PostgreSQL) 15.4\n");
  install("opt/pg/bin/postgres", "postgres (PostgreSQL) 13.1\n");
  EXPECT_EQ(find_binaries(13, root_ / "opt/pg/bin", places()), root_ / "opt/pg/bin");
  try {
    find_binaries(15, root_ / "opt/pg/bin", places());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_NE(std::string(error.what()).find("has PostgreSQL 13, the backup needs 15"),
              std::string::npos);
  }
}

TEST_F(Binaries, ErrorNamesTheSearchedDirectoriesAndThePackage) {
  try {
    find_binaries(15, {}, places());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("usr/pgsql-15/bin"), std::string::npos);
    EXPECT_NE(error.hint().find("postgresql-15"), std::string::npos);
  }
}

}  // namespace
}  // namespace pgrehearse
