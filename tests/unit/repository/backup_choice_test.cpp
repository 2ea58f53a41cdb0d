#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Backup set(const std::string& label, std::string_view stop, std::string_view stop_lsn) {
  return {.label = label,
          .database_id = 1,
          .stop_time = *parse_instant(stop),
          .stop_lsn = parse_lsn(stop_lsn)};
}

BackupList three() {
  return {.backups = {set("20261120-010000F", "2026-11-20 01:00:10+00", "0/2000100"),
                      set("20261120-020000F", "2026-11-20 02:00:10+00", "0/4000100"),
                      set("20261120-030000F", "2026-11-20 03:00:10+00", "0/6000100")},
          .newest_database = {{1, 1}}};
}

RecoveryTarget at_time(std::string_view time) {
  return {.type = TargetType::time, .time = parse_instant(time)};
}
RecoveryTarget at_lsn(std::string_view lsn) {
  return {.type = TargetType::lsn, .lsn = parse_lsn(lsn)};
}

BackupChoice choose(const RecoveryTarget& target, const std::string& backup = "latest",
                    const BackupList& list = three()) {
  return choose_backup(list, {.stanza = "orders", .backup = backup}, target);
}

Error refusal(const RecoveryTarget& target, const std::string& backup = "latest",
              const BackupList& list = three(), ErrorKind kind = ErrorKind::usage) {
  try {
    const auto choice = choose(target, backup, list);
    ADD_FAILURE() << "chose " << choice.backup.label;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_EQ(error.code(), FindingCode::backup_none);
    return error;
  }
  return {ErrorKind::internal, "not refused"};
}

TEST(BackupChoice, LatestAndImmediateUseTheNewestBackup) {
  EXPECT_EQ(choose({}).backup.label, "20261120-030000F");
  EXPECT_EQ(choose({}).reason, "the newest backup: full backup of 2026-11-20 03:00:10 UTC");
  EXPECT_EQ(choose({.type = TargetType::immediate}).backup.label, "20261120-030000F");
}

// Labels and times as measured with pgBackRest 2.45: `restore` used the incremental backup.
TEST(BackupChoice, AfterAClockWasSetBackTheLastLabelIsTheNewestBackup) {
  const BackupList list{
      .backups = {set("20261128-014533F", "2026-11-28 01:46:16+00", "0/2000100"),
                  set("20261128-014533F_20261127-234627I", "2026-11-27 23:46:35+00", "0/5000100")},
      .newest_database = {{1, 1}}};
  EXPECT_EQ(choose({}, "latest", list).backup.label, "20261128-014533F_20261127-234627I");
  EXPECT_EQ(choose(at_time("2026-11-28 00:30:00+00"), "latest", list).backup.label,
            "20261128-014533F_20261127-234627I");
}

TEST(BackupChoice, AnAgeChoosesTheNewestBackupThatIsOlderAndALabelReplacesIt) {
  const auto since = [](std::string_view time) {
    return std::chrono::floor<std::chrono::milliseconds>(Instant(std::chrono::system_clock::now()) -
                                                         *parse_instant(time));
  };
  RepositorySpec spec{
      .stanza = "orders", .backup = "older_than", .older_than = since("2026-11-20 02:30:00+00")};
  EXPECT_EQ(choose_backup(three(), spec, {}).backup.label, "20261120-020000F");
  spec.older_than = since("2026-11-20 00:30:00+00");
  EXPECT_THROW(choose_backup(three(), spec, {}), Error);
  spec.backup = "20261120-030000F";
  EXPECT_EQ(choose_backup(three(), spec, {}).backup.label, "20261120-030000F");
}

TEST(BackupChoice, TimeUsesTheNewestBackupThatEndedInAnEarlierSecond) {
  EXPECT_EQ(choose(at_time("2026-11-20 02:30:00+00")).backup.label, "20261120-020000F");
  EXPECT_EQ(choose(at_time("2026-11-20 02:00:11+00")).backup.label, "20261120-020000F");
  EXPECT_EQ(choose(at_time("2026-11-20 02:00:10+00")).backup.label, "20261120-010000F");
  EXPECT_EQ(choose(at_time("2026-11-20 02:00:10.999+00")).backup.label, "20261120-010000F");
  EXPECT_THAT(choose(at_time("2026-11-20 02:30:00+00")).reason,
              HasSubstr("ended before the target time 2026-11-20 02:30:00 UTC"));
}

TEST(BackupChoice, LsnUsesTheNewestBackupThatEndedAtOrBeforeIt) {
  EXPECT_EQ(choose(at_lsn("0/4000100")).backup.label, "20261120-020000F");
  EXPECT_EQ(choose(at_lsn("0/40000FF")).backup.label, "20261120-010000F");
  EXPECT_EQ(choose(at_lsn("1/0")).backup.label, "20261120-030000F");
}

TEST(BackupChoice, XidAndNameUseTheNewestBackupAndSuggestOldest) {
  for (const auto type : {TargetType::xid, TargetType::name}) {
    const auto choice = choose({.type = type, .xid = 743, .name = "before_release"});
    EXPECT_EQ(choice.backup.label, "20261120-030000F");
    EXPECT_THAT(choice.reason, AllOf(HasSubstr("pgBackRest does not select by"),
                                     HasSubstr("set repository.backup to oldest")));
  }
}

TEST(BackupChoice, TargetBeforeEveryBackupIsRejectedWithTheEarliestTime) {
  const auto time = refusal(at_time("2026-11-20 01:00:10+00"));
  EXPECT_THAT(time.what(), HasSubstr("time 2026-11-20 01:00:10 UTC"));
  EXPECT_THAT(time.hint(), HasSubstr("begins after 2026-11-20 01:00:10 UTC, the end of backup "
                                     "20261120-010000F"));
  EXPECT_THAT(refusal(at_lsn("0/20000FF")).hint(), HasSubstr("begins at 0/2000100"));
}

TEST(BackupChoice, ConfiguredLabelMustExistAndReachTheTarget) {
  EXPECT_EQ(choose({}, "20261120-010000F").backup.label, "20261120-010000F");
  EXPECT_THAT(choose({}, "20261120-010000F").reason, HasSubstr("named in the scenario"));
  EXPECT_THAT(refusal({}, "20261120-01000OF").hint(), HasSubstr("did you mean"));
  EXPECT_THAT(refusal({}, "monday").hint(), HasSubstr("the newest backup is 20261120-030000F"));
  const auto late = refusal(at_time("2026-11-20 02:30:00+00"), "20261120-030000F");
  EXPECT_THAT(late.what(), HasSubstr("ends at 2026-11-20 03:00:10 UTC, not before the target"));
  EXPECT_THAT(late.hint(), HasSubstr("begins after 2026-11-20 01:00:10 UTC"));
  EXPECT_EQ(choose(at_time("2026-11-20 03:30:00+00"), "20261120-010000F").backup.label,
            "20261120-010000F");
}

TEST(BackupChoice, OldestUsesTheOldestBackupThatReachesTheTarget) {
  EXPECT_EQ(choose({}, "oldest").backup.label, "20261120-010000F");
  refusal(at_time("2026-11-20 00:30:00+00"), "oldest");
}

TEST(BackupChoice, BackupWithErrorsIsStillSelected) {
  auto list = three();
  list.backups.back().error = true;
  EXPECT_TRUE(choose({}, "latest", list).backup.error);
}

TEST(BackupChoice, LatestNeedsABackupOfTheNewestDatabase) {
  auto list = three();
  list.newest_database = {{1, 2}};
  EXPECT_THAT(refusal({}, "latest", list, ErrorKind::repository).what(),
              HasSubstr("since the last stanza-upgrade"));
  EXPECT_THAT(choose(at_time("2026-11-20 02:30:00+00"), "latest", list).reason,
              HasSubstr("before the last stanza-upgrade"));
  list.backups.back().database_id = 2;
  EXPECT_EQ(choose({}, "latest", list).backup.label, "20261120-030000F");
}

TEST(BackupChoice, FirstRepositoryWithASuitableBackupIsUsed) {
  auto list = three();
  list.backups[2].repository_key = 2;
  EXPECT_EQ(choose({}, "latest", list).backup.label, "20261120-020000F");
  list.backups[0].repository_key = list.backups[1].repository_key = 2;
  EXPECT_THAT(choose({}, "latest", list).reason, HasSubstr("in repository 2"));
}

TEST(BackupChoice, RepositoryWithoutBackupsIsRejectedWithItsStatus) {
  EXPECT_THAT(refusal({}, "latest", {.status = {.code = 2, .message = "no valid backups"}},
                      ErrorKind::repository)
                  .what(),
              HasSubstr("no valid backups"));
}

TEST(RecoveryTargetText, ReadsLikeTheScenario) {
  EXPECT_EQ(to_text(RecoveryTarget{}), "latest");
  auto target = at_time("2026-11-20 03:00:00+00");
  target.exclusive = true;
  EXPECT_EQ(to_text(target), "time 2026-11-20 03:00:00 UTC (exclusive)");
  target = at_time("2026-11-20 03:00:00.5 UTC");
  target.timeline = "2";
  EXPECT_EQ(to_text(target), "time 2026-11-20 03:00:00.500000 UTC on timeline 2");
  EXPECT_EQ(to_text(at_lsn("0/5000028")), "lsn 0/5000028");
  EXPECT_EQ(to_text(RecoveryTarget{.type = TargetType::xid, .xid = 743}), "xid 743");
  EXPECT_EQ(to_text(RecoveryTarget{.type = TargetType::name, .name = "x"}), "name x");
}

}  // namespace
}  // namespace pgrehearse
