#include "harness/history/evidence/run_manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class RunManifest : public testing::Test {
 protected:
  RunManifest() {
    write("report.json", "{}");
    write("logs/a \\ strange\nname.log", "log");
    hash_ = write_manifest(directory_);
  }
  ~RunManifest() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((directory_ / file).parent_path());
    std::ofstream(directory_ / file) << text;
  }
  [[nodiscard]] std::vector<std::string> changes() const { return changes_of(directory_, hash_); }

  static fs::path make_directory() {
    std::string pattern = (fs::temp_directory_path() / "run_manifest_XXXXXX").string();
    return mkdtemp(pattern.data());
  }
  fs::path directory_ = make_directory();
  std::string hash_;
};

TEST_F(RunManifest, WhatIsWrittenAfterTheDrillIsNoChange) {
  EXPECT_THAT(changes(), IsEmpty());
  write(".notifications.json", "[]");
  write("ledger-entry", "entry");
  write("ledger-entry.sig", "signature");
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(RunManifest, ChangedMissingAndAddedFilesAreNamed) {
  write("report.json", "{ }");
  write("logs/more.log", "");
  fs::remove(directory_ / "logs/a \\ strange\nname.log");
  EXPECT_THAT(changes(), ElementsAre("logs/a \\ strange\nname.log is missing",
                                     "report.json was changed", "logs/more.log was added"));
}

TEST_F(RunManifest, AnotherManifestIsNamed) {
  write("report.json", "{ }");
  write_manifest(directory_);
  EXPECT_THAT(changes(), ElementsAre("SHA256SUMS was changed"));
}

}  // namespace
}  // namespace pgrehearse
