#include "harness/map/recovery_map.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <ctime>

#include "tests/unit/repository/wal_layouts.hpp"

namespace pgrehearse {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Instant midnight = *parse_instant("2026-11-20 00:00:00+00");

// A full backup that begins and ends in `segment`, made at `hour`.
Backup backup_at(std::uint64_t segment, int hour, Timeline timeline = 1) {
  const auto name = file_name({timeline, segment}, 16 * mib);
  return {.label = fmt::format("backup-{}", segment),
          .system_identifier = 7,
          .start_time = midnight + hours(hour) - seconds(60),
          .stop_time = midnight + hours(hour),
          .start_lsn = at(segment),
          .stop_lsn = at(segment, 0x100),
          .start_segment = name,
          .stop_segment = name};
}

MapArchive map_of(std::vector<Backup> backups, ArchiveListing archive) {
  archive.listed_at = midnight + hours(24);
  return map_archive(backups, archive);
}

TEST(RecoveryMap, ContinuousArchiveIsOneWindowFromTheOldestBackup) {
  const auto map = map_of({backup_at(3, 1), backup_at(7, 2)}, listing({{1, 1, 9}}));
  EXPECT_TRUE(map.continuous());
  ASSERT_EQ(map.branches.size(), 1U);
  const auto& branch = map.branches[0];
  EXPECT_TRUE(branch.latest);
  ASSERT_EQ(branch.windows.size(), 1U);
  const auto& window = branch.windows[0];
  EXPECT_EQ(window.begin.lsn, at(3, 0x100));
  EXPECT_EQ(window.begin.time, midnight + hours(1) + seconds(1));
  EXPECT_EQ(window.end.lsn, at(10, 0));
  EXPECT_EQ(window.end.not_before, midnight + hours(2));
  EXPECT_EQ(window.end.not_after, midnight + hours(24));
  EXPECT_FALSE(window.end.time) << "no WAL was read";
  EXPECT_EQ(window.last, (WalSegment{1, 9}));
  EXPECT_THAT(window.backups, ElementsAre("backup-3", "backup-7"));
}

TEST(RecoveryMap, GapIsUnrecoverableUpToTheNextBackup) {
  const auto map = map_of({backup_at(3, 1), backup_at(12, 5)}, listing({{1, 1, 6}, {1, 8, 15}}));
  EXPECT_FALSE(map.continuous());
  const auto& branch = map.branches.at(0);
  ASSERT_EQ(branch.windows.size(), 2U);
  EXPECT_EQ(branch.windows[0].end.lsn, at(7, 0));
  EXPECT_EQ(branch.windows[0].end.not_before, midnight + hours(1));
  EXPECT_EQ(branch.windows[0].end.not_after, midnight + hours(5) - seconds(60));
  ASSERT_EQ(branch.losses.size(), 1U);
  const auto& loss = branch.losses[0];
  EXPECT_TRUE(loss.ended_by_backup);
  EXPECT_EQ(loss.begin.lsn, at(7, 0));
  EXPECT_EQ(loss.end.lsn, at(12, 0x100));
  EXPECT_EQ(loss.end.time, midnight + hours(5) + seconds(1));
  EXPECT_THAT(loss.gaps, ElementsAre(WalRange{1, 7, 7}));
  EXPECT_THAT(loss.unusable_backups, IsEmpty());
  EXPECT_EQ(loss.reason, "segment 000000010000000000000007 is missing");
}

TEST(RecoveryMap, GapAfterTheNewestBackupIsUnrecoverableUpToTheEnd) {
  const auto map = map_of({backup_at(3, 1)}, listing({{1, 1, 6}, {1, 9, 15}}));
  const auto& branch = map.branches.at(0);
  ASSERT_EQ(branch.losses.size(), 1U);
  EXPECT_FALSE(branch.losses[0].ended_by_backup);
  EXPECT_EQ(branch.losses[0].end.lsn, at(16, 0));
  EXPECT_EQ(branch.newest, (WalSegment{1, 15}));
}

TEST(RecoveryMap, BackupWithoutItsOwnWalIsUnusable) {
  const auto map = map_of({backup_at(3, 1), backup_at(7, 2), backup_at(12, 3)},
                          listing({{1, 1, 6}, {1, 8, 15}}));
  EXPECT_TRUE(map.backups[0].usable());
  EXPECT_EQ(map.backups[1].code, FindingCode::wal_backup);
  EXPECT_TRUE(map.backups[2].usable());
  EXPECT_THAT(map.branches.at(0).losses.at(0).unusable_backups, ElementsAre("backup-7"));
}

TEST(RecoveryMap, ExpiredWalOfTheOldestBackupIsUnrecoverableUpToTheNextBackup) {
  const auto map = map_of({backup_at(3, 1), backup_at(7, 2)}, listing({{1, 6, 15}}));
  EXPECT_EQ(map.backups[0].code, FindingCode::wal_backup);
  const auto& branch = map.branches.at(0);
  ASSERT_EQ(branch.windows.size(), 1U);
  EXPECT_THAT(branch.windows[0].backups, ElementsAre("backup-7"));
  ASSERT_EQ(branch.losses.size(), 1U);
  EXPECT_EQ(branch.losses[0].begin.lsn, at(3, 0x100));
  EXPECT_EQ(branch.losses[0].end.lsn, at(7, 0x100));
  EXPECT_THAT(branch.losses[0].gaps, ElementsAre(WalRange{1, 3, 5}));
}

TEST(RecoveryMap, MissingReferenceMakesOnlyThatBackupUnusable) {
  auto incremental = backup_at(7, 2);
  incremental.references = {"gone"};
  const auto map = map_of({backup_at(3, 1), incremental}, listing({{1, 1, 9}}));
  EXPECT_EQ(map.backups[1].code, FindingCode::backup_reference);
  EXPECT_THAT(map.backups[1].problems.at(0), HasSubstr("gone"));
  EXPECT_FALSE(map.continuous());
  EXPECT_THAT(map.branches.at(0).losses, IsEmpty());
  EXPECT_THAT(map.branches.at(0).windows.at(0).backups, ElementsAre("backup-3"));
}

TEST(RecoveryMap, RecoveryCrossesASwitchAndTheOldBranchBeginsAtTheFork) {
  const auto map = map_of({backup_at(3, 1)}, listing({{1, 1, 8}, {2, 6, 12}}, {{2, {{1, at(6)}}}}));
  ASSERT_EQ(map.branches.size(), 2U);
  EXPECT_TRUE(map.branches[0].latest);
  EXPECT_EQ(map.branches[0].timeline, 2U);
  EXPECT_EQ(map.branches[0].windows.at(0).end.lsn, at(13, 0));
  EXPECT_EQ(map.branches[1].timeline, 1U);
  EXPECT_EQ(map.branches[1].windows.at(0).begin.lsn, at(6));
  EXPECT_EQ(map.branches[1].windows.at(0).end.lsn, at(9, 0));
  EXPECT_TRUE(map.continuous());
}

TEST(RecoveryMap, GapAtTheSwitchEndsTheWindow) {
  const auto map = map_of({backup_at(3, 1)}, listing({{1, 1, 5}, {2, 7, 12}}, {{2, {{1, at(6)}}}}));
  const auto& branch = map.branches.at(0);
  EXPECT_EQ(branch.timeline, 2U);
  EXPECT_EQ(branch.windows.at(0).end.lsn, at(6, 0));
  EXPECT_EQ(branch.windows.at(0).last, (WalSegment{1, 5}));
  EXPECT_THAT(branch.losses.at(0).gaps, ElementsAre(WalRange{2, 6, 6}));
}

// PostgreSQL reads the parent's copy of that segment, which is the same up to the switch.
TEST(RecoveryMap, ParentsCopyOfTheSegmentIsUsedUpToTheSwitch) {
  const auto map = map_of({backup_at(3, 1)}, listing({{1, 1, 8}, {2, 7, 12}}, {{2, {{1, at(6)}}}}));
  const auto& branch = map.branches.at(0);
  EXPECT_EQ(branch.timeline, 2U);
  EXPECT_EQ(branch.windows.at(0).end.lsn, at(6));
  EXPECT_EQ(branch.windows.at(0).last, (WalSegment{1, 6}));
  EXPECT_EQ(branch.losses.at(0).begin.lsn, at(6));
  EXPECT_THAT(branch.losses.at(0).gaps, ElementsAre(WalRange{2, 6, 6}));
}

TEST(RecoveryMap, EmptyTimelineIsRecoverableUpToItsSwitch) {
  const auto map = map_of({backup_at(3, 1)}, listing({{1, 1, 8}}, {{2, {{1, at(6)}}}}));
  EXPECT_EQ(map.branches.at(0).timeline, 2U);
  EXPECT_EQ(map.branches.at(0).windows.at(0).end.lsn, at(6));
}

TEST(RecoveryMap, VerificationProblemsAreAssignedToSegmentsAndBackups) {
  const auto archive = listing({{1, 1, 9}});
  auto incremental = backup_at(7, 2);
  incremental.label = "backup-3_INCR";
  incremental.references = {"backup-3"};
  const std::vector<Backup> backups{backup_at(3, 1), incremental};
  std::vector<std::string> problems{
      "invalid checksum '15-1/0000000100000000/" + archive.segments.at(4).file + "'",
      "invalid checksum 'backup-3/pg_data/base/5/1259.lz4'", "invalid size 'backup-3_INCR/x'",
      "backup 'y' is odd"};
  const auto damage = take_damage(problems, backups, archive);
  EXPECT_THAT(problems, ElementsAre("backup 'y' is odd"));
  ASSERT_EQ(damage.backups.size(), 2U);
  EXPECT_EQ(damage.backups[1].first, "backup-3_INCR");
  const auto map = map_archive(backups, archive, damage);
  EXPECT_EQ(map.backups[0].code, FindingCode::backup_verify);
  EXPECT_THAT(map.backups[1].problems.at(0), HasSubstr("depends on backup-3"));
  EXPECT_FALSE(map.continuous());
  EXPECT_EQ(map.branches.at(0).problems.at(0).kind, LineageProblemKind::damaged);
}

TEST(RecoveryMap, DamagedSegmentEndsTheWindow) {
  const auto archive = listing({{1, 1, 9}});
  const std::vector<Backup> backups{backup_at(3, 1)};
  const auto map =
      map_archive(backups, archive, {.files = {{archive.segments.at(5).file, "invalid checksum"}}});
  EXPECT_EQ(map.branches.at(0).windows.at(0).end.lsn, at(6, 0));
  EXPECT_THAT(map.branches.at(0).losses.at(0).reason, HasSubstr("is damaged: invalid checksum"));
}

TEST(RecoveryMap, TimelineWithoutHistoryFileIsUnreachable) {
  const auto map = map_of({backup_at(3, 1)}, listing({{1, 1, 6}, {2, 6, 12}}));
  EXPECT_FALSE(map.continuous());
  EXPECT_THAT(map.unreachable, ElementsAre(WalRange{2, 6, 12}));
  ASSERT_EQ(map.branches.size(), 1U);
  EXPECT_EQ(map.branches[0].problems.at(0).kind, LineageProblemKind::missing_history);
  EXPECT_EQ(map.branches[0].windows.at(0).end.lsn, at(7, 0));
}

TEST(RecoveryMap, SegmentArchivedTwiceWithDifferentContentEndsTheWindow) {
  auto archive = listing({{1, 1, 9}});
  archive.segments.push_back(archived(1, 6, 16 * mib, 'b'));
  const auto map = map_of({backup_at(3, 1)}, archive);
  const auto& branch = map.branches.at(0);
  EXPECT_EQ(branch.windows.at(0).end.lsn, at(6, 0));
  EXPECT_THAT(branch.losses.at(0).reason, HasSubstr("2 times with different content"));
  EXPECT_THAT(branch.gaps, IsEmpty());
}

TEST(RecoveryMap, EmptyArchiveMakesTheBackupUnusable) {
  const auto map = map_of({backup_at(3, 1)}, listing({}));
  EXPECT_FALSE(map.backups[0].usable());
  EXPECT_FALSE(map.continuous());
  EXPECT_THAT(map.branches.at(0).windows, IsEmpty());
}

// A year of daily backups would take a second; a month, built without optimisation, must not.
// Processor time, which does not depend on what else runs here. Work that grew with the square of
// the segments would take many minutes.
TEST(RecoveryMap, HundredThousandSegmentsAreMappedQuickly) {
  std::vector<Backup> backups;
  for (std::uint64_t day = 0; day < 30; ++day) backups.push_back(backup_at(3 + day * 3000, 1));
  const auto archive = listing({{1, 1, 40000}, {1, 40002, 100000}});
  const auto began = std::clock();
  const auto map = map_of(backups, archive);
  EXPECT_LT((std::clock() - began) / CLOCKS_PER_SEC, 60);
  EXPECT_THAT(map.branches.at(0).gaps, ElementsAre(WalRange{1, 40001, 40001}));
  EXPECT_EQ(map.branches.at(0).windows.size(), 2U);
}

TEST(RecoveryMap, NoBackupAtAllIsDamage) {
  EXPECT_EQ(verdict_of({}), MapVerdict::damaged);
  RecoveryMap map;
  map.archives.push_back(map_of({backup_at(3, 1)}, listing({{1, 1, 9}})));
  EXPECT_EQ(verdict_of(map), MapVerdict::continuous);
  map.unknown.emplace_back("the lag");
  EXPECT_EQ(verdict_of(map), MapVerdict::unknown);
}

}  // namespace
}  // namespace pgrehearse
