#include "tests/fakes/fake_repository.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/contract/repository_promises.hpp"
#include "tests/fakes/directory_sandbox.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

// The fake keeps the promises of a real repository, as far as it has what they are about.
class FakeRepositoryContract : public testing::Test {
 protected:
  FakeRepositoryContract() {
    auto& backups = repository_.backups;
    backups.push_back(backups[0]);
    backups[1].label = "20261120-010000F_20261120-020000D";
    backups[1].type = BackupType::differential;
    backups[1].prior = backups[0].label;
    backups[1].stop_time += std::chrono::hours(1);
    backups.push_back(backups[1]);
    backups[2].label = "20261120-010000F_20261120-030000I";
    backups[2].type = BackupType::incremental;
    backups[2].prior = backups[1].label;
    backups[2].stop_time += std::chrono::hours(1);
    repository_.archive_segment({.timeline = 2, .number = 3});
    repository_.histories[2] = {{.timeline = 1, .switch_lsn = Lsn{0x3000100}}};
    fs::create_directory(archive());
    fs::create_directory(sandbox_.paths().data / "pg_wal");
    for (const auto& file : repository_.segments) {
      const auto path = archive() / file_name(file.segment, FakeRepository::segment_bytes);
      std::ofstream(path).flush();
      fs::resize_file(path, FakeRepository::segment_bytes);
    }
    std::ofstream(archive() / "00000002.history") << "1\t0/3000100\tno recovery target\n";
    repository_.archive_get_words = {
        "sh", "-c",
        "[ -d \"$0\" ] || exit 103; [ -e \"$0/$1\" ] || exit 1; exec cp \"$0/$1\" \"$2\"",
        archive().string()};
  }
  [[nodiscard]] fs::path archive() const { return sandbox_.paths().root / "archive"; }

  CallRecord calls_;
  FakeRepository repository_{calls_};
  DirectorySandbox sandbox_;
};

TEST_F(FakeRepositoryContract, ListsBackupsOldestFirst) {
  expect_lists_backups_oldest_first(repository_);
}

TEST_F(FakeRepositoryContract, ListsTheArchive) { expect_lists_the_archive(repository_); }

TEST_F(FakeRepositoryContract, RestoresAndFetchesWal) {
  expect_restores_and_fetches_wal(repository_, sandbox_);
}

TEST_F(FakeRepositoryContract, AFailingArchiveIsNotTheEndOfTheArchive) {
  fs::remove_all(archive());
  expect_failure_is_not_the_end_of_the_archive(repository_, repository_.backups.front(), sandbox_);
}

TEST_F(FakeRepositoryContract, NamesTheDamagedFile) {
  repository_.damaged = {"base/5/16385"};
  expect_names_the_damaged_file(repository_, repository_.backups.front(), sandbox_, "base/5/16385");
}

TEST_F(FakeRepositoryContract, AStopRequestInterrupts) {
  expect_interruptible(repository_, sandbox_);
}

}  // namespace
}  // namespace pgrehearse
