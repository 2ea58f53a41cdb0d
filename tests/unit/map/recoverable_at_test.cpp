#include "harness/map/recoverable_at.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/common/text.hpp"
#include "harness/reporting/map/instant_answer.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t size = std::uint64_t{16} << 20U;

Instant at(const char* time) { return *parse_instant(std::string("2026-11-20 ") + time + "+00"); }

MappedBackup backup(const char* label, std::uint64_t segment, const char* stop) {
  return {.backup = {.label = label,
                     .start_time = at(stop) - std::chrono::minutes(5),
                     .stop_time = at(stop),
                     .start_lsn = Lsn{segment * size},
                     .stop_lsn = Lsn{segment * size + 256},
                     .start_segment = file_name({1, segment}, size),
                     .size = Bytes{1U << 30U}}};
}

// 01:00 to 02:00 is recoverable, then a segment is missing until the backup of 04:00.
RecoveryMap gap_between_backups() {
  MapBranch branch{.timeline = 1, .latest = true};
  branch.windows = {
      {.begin = {.lsn = {2 * size + 256}, .time = at("01:00:01")},
       .end = {.lsn = {50 * size}, .time = at("02:00:00")},
       .backups = {"a", "b"}},
      {.begin = {.lsn = {70 * size}, .time = at("04:00:01")},
       .end = {.lsn = {100 * size}, .not_before = at("05:00:00"), .not_after = at("06:00:00")},
       .backups = {"c"}}};
  branch.losses = {{.begin = branch.windows[0].end,
                    .end = branch.windows[1].begin,
                    .ended_by_backup = true,
                    .reason = "segment 50 is missing"}};
  MapArchive archive{.id = "15-1", .segment_size = size};
  archive.backups = {backup("a", 2, "01:00:00"), backup("b", 26, "01:30:00"),
                     backup("c", 69, "04:00:00")};
  archive.branches = {branch};
  RecoveryMap map{.stanza = "orders"};
  map.archives = {archive};
  return map;
}

TEST(RecoverableAt, NamesTheBackupAndTheWalThatARestoreWouldUse) {
  const auto answer = recoverable_at(gap_between_backups(), at("01:45:00"));
  EXPECT_EQ(answer.answer, Recoverability::recoverable);
  EXPECT_EQ(answer.backup->backup.label, "b");
  EXPECT_EQ(answer.begin, Lsn{26 * size});
  EXPECT_EQ(answer.end.value / size, 38U) << "half of the WAL between the backup and the end";
  EXPECT_EQ(answer.latest_end, Lsn{50 * size});
  EXPECT_EQ(answer.segments, 13U);
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("01:15:00")).backup->backup.label, "a");
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("01:30:00")).backup->backup.label, "a")
      << "a backup must have ended in an earlier second";
}

TEST(RecoverableAt, TheTimeOfTheLastCommitIsNotRecoverable) {
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("01:59:59")).answer,
            Recoverability::recoverable);
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("02:00:00")).answer, Recoverability::lost);
}

TEST(RecoverableAt, SaysWhyAndWhatIsRecoverableAround) {
  const auto answer = recoverable_at(gap_between_backups(), at("03:00:00"));
  EXPECT_EQ(answer.answer, Recoverability::lost);
  EXPECT_EQ(answer.reason, "segment 50 is missing");
  EXPECT_EQ(answer.earlier, at("02:00:00"));
  EXPECT_EQ(answer.later, at("04:00:01"));
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("00:30:00")).reason,
            "no backup ended before that time");
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("06:30:00")).reason,
            "no commit after that time is in the archive");
  EXPECT_EQ(recoverable_at({}, at("06:30:00")).answer, Recoverability::lost);
}

// No evidence is never a pass.
TEST(RecoverableAt, IsUnknownBetweenTheBoundsOfAnEnd) {
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("04:30:00")).answer,
            Recoverability::recoverable);
  EXPECT_EQ(recoverable_at(gap_between_backups(), at("05:30:00")).answer, Recoverability::unknown);
  RecoveryMap map{.unknown = {"repository 2 could not be listed"}};
  EXPECT_EQ(recoverable_at(map, at("05:30:00")).answer, Recoverability::unknown);
}

TEST(RecoverableAt, TextAnswersInTheZoneOfTheQuestionAndFitsTheWidth) {
  const auto map = gap_between_backups();
  const auto answer = recoverable_at(map, at("01:45:00"));
  std::ostringstream out;
  write_answer_text({.map = map,
                     .answer = answer,
                     .at = at("01:45:00"),
                     .expected = ExpectedRecovery{.restore = 60, .replay = 12, .drills = 3}},
                    {.width = 60, .utc_offset = std::chrono::minutes(60)}, out);
  const auto text = out.str();
  EXPECT_THAT(text, HasSubstr("2026-11-20 02:45:00+01:00 is recoverable"));
  EXPECT_THAT(text, HasSubstr("about 1min 12s: restore 1min, replay 12.0s; from"));
  for (const auto line : lines_of(text)) EXPECT_LE(columns_of(line), 60U) << line;
}

}  // namespace
}  // namespace pgrehearse
