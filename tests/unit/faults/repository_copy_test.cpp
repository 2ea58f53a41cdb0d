#include "harness/faults/repository_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

constexpr const char* full = "20261121-030000F";
constexpr const char* newest = "20261121-030000F_20261121-050000I";

class RepositoryCopyTest : public testing::Test {
 protected:
  RepositoryCopyTest() {
    fs::remove_all(top);
    for (const std::string label : {full, newest, "20261120-030000F"}) {
      write("backup/shop/" + label + "/backup.manifest");
      write("backup/shop/" + label + "/pg_data/base/5/16384.lz4");
    }
    write("backup/shop/backup.info");
    write("backup/shop/backup.info.copy");
    write("archive/shop/archive.info");
    write("archive/shop/archive.info.copy");
    write("archive/shop/14-1/0000000100000000/" + wal("000000010000000000000009"));
    for (const std::string name : {"000000010000000000000004", "000000010000000000000005",
                                   "000000020000000000000005", "000000020000000100000000"}) {
      write("archive/shop/15-2/" + name.substr(0, 16) + "/" + wal(name));
    }
    write("archive/shop/15-2/0000000100000000/000000010000000000000005.00000028.backup");
    write("archive/shop/15-2/00000002.history");
    fs::create_directory_symlink(newest, top / "backup/shop/latest");
  }
  ~RepositoryCopyTest() override {
    fs::remove_all(top);
    fs::remove_all(order.to);
  }

  static std::string wal(const std::string& name) {
    return name + "-5bd7fa1f2b5b9c7a1d0b0bfa1d64bd64bd2ac47a.lz4";
  }
  void write(const std::string& file) const {
    fs::create_directories((top / file).parent_path());
    std::ofstream(top / file) << "content of " << file;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& file : files_to_copy(order)) found.push_back(file.path);
    return found;
  }

  fs::path top = testing::TempDir() + "pgr-original-" + std::to_string(getpid());
  CopyOrder order{.from = top,
                  .to = testing::TempDir() + "pgr-copy-" + std::to_string(getpid()),
                  .stanza = "shop",
                  .chain = {full, newest},
                  .archive = "15-2",
                  .first_segment = "000000010000000000000005",
                  .account = current_account()};
};

TEST_F(RepositoryCopyTest, CopiesTheBackupsAndTheWalAfterThem) {
  const std::string backups = "backup/shop/";
  const std::string archive = "archive/shop/15-2/";
  EXPECT_THAT(names(),
              testing::UnorderedElementsAre(
                  backups + "backup.info", backups + "backup.info.copy",
                  backups + full + "/backup.manifest", backups + full + "/pg_data/base/5/16384.lz4",
                  backups + newest + "/backup.manifest",
                  backups + newest + "/pg_data/base/5/16384.lz4", "archive/shop/archive.info",
                  "archive/shop/archive.info.copy", archive + "00000002.history",
                  archive + "0000000100000000/000000010000000000000005.00000028.backup",
                  archive + "0000000100000000/" + wal("000000010000000000000005"),
                  archive + "0000000200000000/" + wal("000000020000000000000005"),
                  archive + "0000000200000001/" + wal("000000020000000100000000")));
}

TEST_F(RepositoryCopyTest, SharesNoFileWithTheOriginal) {
  const auto files = files_to_copy(order);
  copy_repository(order, files, {});
  for (const auto& file : files) {
    std::ifstream in(order.to / file.path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(text, "content of " + file.path.native());
    EXPECT_EQ(fs::hard_link_count(order.from / file.path), 1U) << file.path;
    EXPECT_FALSE(fs::equivalent(order.from / file.path, order.to / file.path));
  }
  EXPECT_EQ(fs::read_symlink(order.to / "backup/shop/latest"), newest);
}

TEST_F(RepositoryCopyTest, VanishedFileIsNamed) {
  const auto files = files_to_copy(order);
  fs::remove(top / "archive/shop/15-2/00000002.history");
  try {
    copy_repository(order, files, {});
    FAIL() << "copied";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("00000002.history"));
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
}

TEST_F(RepositoryCopyTest, StopRequestEndsTheCopy) {
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(copy_repository(order, files_to_copy(order), source.get_token()), Error);
}

}  // namespace
}  // namespace pgrehearse
