#include "harness/repository/random_target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

using std::chrono::hours;

const Instant midnight = *parse_instant("2026-11-20T00:00:00Z");

Backup backup_at(int hour, std::uint64_t lsn) {
  return {.label = "B" + std::to_string(hour),
          .database_id = 1,
          .system_identifier = 7,
          .stop_time = midnight + hours(hour),
          .stop_lsn = Lsn{lsn}};
}

// WAL grows by 1000 bytes an hour until 10:00, then by 100.
BackupList sample_list() { return {.backups = {backup_at(0, 1000), backup_at(10, 11000)}}; }

RecoveryTarget choose(std::chrono::milliseconds within, std::uint64_t seed) {
  const auto list = sample_list();
  return random_target({.within = within}, list, list.backups.back(), Lsn{12000},
                       midnight + hours(20), seed);
}

TEST(RandomTarget, IsAnLsnOfThePeriodAndTheSameForTheSameSeed) {
  std::uint64_t lowest = 12000;
  std::uint64_t highest = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto target = choose(hours(48), seed);
    EXPECT_EQ(target.type, TargetType::lsn);
    EXPECT_FALSE(target.within);
    EXPECT_EQ(target.lsn, choose(hours(48), seed).lsn);
    lowest = std::min(lowest, target.lsn->value);
    highest = std::max(highest, target.lsn->value);
  }
  EXPECT_GE(lowest, 1000U);
  EXPECT_LT(lowest, 1100U);
  EXPECT_GT(highest, 11990U);
  EXPECT_LE(highest, 12000U);
}

TEST(RandomTarget, IsNotOlderThanAsked) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto lsn = choose(hours(15), seed).lsn->value;
    EXPECT_GE(lsn, 6000U) << seed;  // at 05:00
  }
}

TEST(RandomTarget, SaysHowItWasChosen) {
  EXPECT_THAT(to_text(choose(hours(168), 42)),
              testing::EndsWith(" (random within 7d 0h, seed 42)"));
}

TEST(RandomTarget, NeedsABackupOfTheCluster) {
  auto list = sample_list();
  for (auto& backup : list.backups) backup.stop_lsn.reset();
  EXPECT_THROW(random_target({.within = hours(1)}, list, list.backups.back(), Lsn{12000},
                             midnight + hours(20), 1),
               Error);
}

}  // namespace
}  // namespace pgrehearse
