#include "tests/contract/repository_promises.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {

using testing::Contains;
using testing::HasSubstr;

namespace {

Backup newest(BackupRepository& repository) { return repository.list({}).backups.back(); }

bool exists(Sandbox& sandbox, const std::filesystem::path& path) {
  return sandbox.run({.program = "test", .arguments = {"-e", path.string()}}, {}).succeeded();
}

}  // namespace

CommandResult fetch_to_pg_wal(BackupRepository& repository, Sandbox& sandbox, const Backup& backup,
                              const std::string& file) {
  auto words = repository.archive_get(backup, sandbox, WalFetch::ahead);
  Command command{.program = words.front(), .working_directory = sandbox.paths().data};
  command.arguments.assign(words.begin() + 1, words.end());
  command.arguments.insert(command.arguments.end(), {file, "pg_wal/RECOVERYXLOG"});
  return sandbox.run(command, {});
}

void expect_lists_backups_oldest_first(BackupRepository& repository,
                                       const std::vector<BackupType>& types) {
  EXPECT_FALSE(repository.version({}).empty());
  const auto list = repository.list({});
  EXPECT_EQ(list.status.code, 0);
  ASSERT_EQ(list.backups.size(), types.size());
  EXPECT_TRUE(std::ranges::is_sorted(list.backups, {}, &Backup::stop_time));
  for (std::size_t at = 0; at < types.size(); ++at) {
    const auto& backup = list.backups[at];
    EXPECT_EQ(backup.type, types[at]);
    EXPECT_EQ(backup.prior,
              types[at] == BackupType::full ? std::string() : list.backups[at - 1].label);
  }
  for (const auto& backup : list.backups) {
    EXPECT_EQ(backup.system_identifier, list.backups.front().system_identifier);
    EXPECT_LT(backup.start_lsn, backup.stop_lsn);
    EXPECT_GT(backup.size.count, 0U);
    EXPECT_FALSE(backup.error);
  }
}

void expect_lists_the_archive(BackupRepository& repository) {
  const auto backup = newest(repository);
  const auto segment_size = repository.wal_segment_size(backup, {});
  ASSERT_EQ(segment_size, 16ULL << 20U);
  const auto archive = repository.list_archive(backup, *segment_size, {});
  EXPECT_EQ(archive.segment_size, *segment_size);
  ASSERT_EQ(archive.histories.size(), 1U);
  ASSERT_EQ(archive.histories.at(2).size(), 1U);
  EXPECT_GT(archive.histories.at(2)[0].switch_lsn, *backup.stop_lsn);
  EXPECT_TRUE(std::ranges::is_sorted(archive.segments, {}, &ArchivedSegment::segment));
  EXPECT_TRUE(std::ranges::any_of(archive.segments, [&](const ArchivedSegment& file) {
    return file_name(file.segment, *segment_size) == backup.start_segment;
  }));
  EXPECT_EQ(archive.segments.back().segment.timeline, 2U);
}

void expect_restores_and_fetches_wal(BackupRepository& repository, Sandbox& sandbox) {
  const auto backup = newest(repository);
  double reached = 0;
  repository.restore(backup, {}, sandbox,
                     [&](const auto& progress) { reached = progress.fraction.value(); }, {});
  EXPECT_GT(reached, 0.99);
  const auto& data = sandbox.paths().data;
  EXPECT_TRUE(exists(sandbox, data / "standby.signal"));
  const auto fetch = [&](const std::string& file) {
    return fetch_to_pg_wal(repository, sandbox, backup, file).exit_code;
  };
  EXPECT_EQ(fetch(backup.start_segment), 0);
  const Command size{.program = "stat", .arguments = {"-c", "%s", data / "pg_wal/RECOVERYXLOG"}};
  EXPECT_EQ(sandbox.run(size, {}).output, "16777216\n");
  EXPECT_EQ(fetch("00000002.history"), 0);
  EXPECT_EQ(fetch("0000000200000000000000FE"), 1);
  EXPECT_EQ(fetch("00000009.history"), 1);
}

void expect_archiving_is_off(Sandbox& sandbox) {
  EXPECT_THAT(sandbox.read_file(sandbox.paths().data / "postgresql.auto.conf"),
              testing::AllOf(HasSubstr("archive_mode = 'off'"),
                             HasSubstr("recovery_target_timeline = 'latest'")));
}

void expect_failure_is_not_the_end_of_the_archive(BackupRepository& repository,
                                                  const Backup& backup, Sandbox& sandbox) {
  EXPECT_GT(fetch_to_pg_wal(repository, sandbox, backup, backup.start_segment).exit_code, 1);
}

Error expect_names_the_damaged_file(BackupRepository& repository, const Backup& backup,
                                    Sandbox& sandbox, const std::string& file) {
  const auto verification = repository.verify(backup, {});
  EXPECT_FALSE(verification.ok);
  EXPECT_THAT(verification.problems, Contains(HasSubstr(file)));
  const auto error = error_of([&] { repository.restore(backup, {}, sandbox, nullptr, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::restore);
  EXPECT_THAT(error.what(), HasSubstr(backup.label));
  EXPECT_THAT(error.object(), HasSubstr(file));
  EXPECT_FALSE(error.object().starts_with('/'));
  return error;
}

void expect_interruptible(BackupRepository& repository, Sandbox& sandbox) {
  const auto backup = newest(repository);
  std::stop_source source;
  source.request_stop();
  const auto stop = source.get_token();
  const auto kind_of = [](const std::function<void()>& action) { return error_of(action).kind(); };
  EXPECT_EQ(kind_of([&] { repository.list(stop); }), ErrorKind::interrupted);
  EXPECT_EQ(kind_of([&] { repository.list_archive(backup, 16ULL << 20U, stop); }),
            ErrorKind::interrupted);
  EXPECT_EQ(kind_of([&] { repository.restore(backup, {}, sandbox, nullptr, stop); }),
            ErrorKind::interrupted);
  EXPECT_EQ(kind_of([&] { repository.verify(backup, stop); }), ErrorKind::interrupted);
}

}  // namespace pgrehearse
