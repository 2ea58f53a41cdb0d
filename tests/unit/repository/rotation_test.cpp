// `repository.backup: unproved` over weeks of simulated backups, expiry and drills.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {
namespace {

using std::chrono::days;
using std::chrono::hours;

struct Policy {
  int fulls = 2;
  int differentials = 0;  // 0: kept as long as their full backup
};

// A repository with a full backup each Sunday and a differential one on other days, and drills.
class Rotation {
 public:
  Rotation(Policy policy, std::set<std::string> damaged)
      : policy_(policy), damaged_(std::move(damaged)) {}

  void take_backup(int day) {
    const auto date = start_ + days(day);
    const bool full = day % 7 == 0;
    if (full) full_ = label_of(date) + "F";
    Backup backup{.label = full ? full_ : full_ + "_" + label_of(date) + "D",
                  .type = full ? BackupType::full : BackupType::differential,
                  .prior = full ? "" : full_,
                  .database_id = 1,
                  .start_time = date,
                  .stop_time = date + hours(1)};
    list_.backups.push_back(backup);
  }

  // As pgbackrest expire does: what depends on an expired full backup expires with it.
  void expire() {
    std::vector<std::string> fulls;
    std::vector<std::string> differentials;
    for (const auto& backup : list_.backups) {
      (backup.type == BackupType::full ? fulls : differentials).push_back(backup.label);
    }
    const auto surplus = [](const std::vector<std::string>& labels, int kept) {
      const auto count = std::max<std::ptrdiff_t>(0, std::ssize(labels) - kept);
      return std::set(labels.begin(), labels.begin() + count);
    };
    const auto old_fulls = surplus(fulls, policy_.fulls);
    const auto old_differentials = policy_.differentials == 0
                                       ? std::set<std::string>{}
                                       : surplus(differentials, policy_.differentials);
    std::erase_if(list_.backups, [&](const Backup& backup) {
      const bool expires = old_fulls.contains(backup.label) || old_fulls.contains(backup.prior) ||
                           old_differentials.contains(backup.label);
      if (expires && !trials_[{1, backup.label}].passed && !damaged_.contains(backup.label)) {
        expired_unproved.push_back(backup.label);
      }
      expired += expires ? 1 : 0;
      return expires;
    });
  }

  void drill(int day) {
    const auto choice =
        choose_backup(list_, {.stanza = "orders", .backup = "unproved", .trials = trials_},
                      {.type = TargetType::immediate});
    auto& trial = trials_[{1, choice.backup.label}];
    trial.tried = start_ + days(day) + hours(3);
    if (!damaged_.contains(choice.backup.label)) trial.passed = trial.tried;
  }

  std::vector<std::string> expired_unproved;
  int expired = 0;

 private:
  static std::string label_of(Instant instant) {
    auto text = to_iso8601(instant).substr(0, 19);
    std::erase(text, '-');
    std::erase(text, ':');
    text[8] = '-';
    return text;
  }

  Policy policy_;
  std::set<std::string> damaged_;
  Instant start_ = *parse_instant("2026-11-01T01:00:00Z");
  std::string full_;
  BackupList list_{.newest_database = {{1, 1}}};
  BackupTrials trials_;
};

Rotation simulated(Policy policy, int length, std::set<std::string> damaged = {}) {
  Rotation rotation(policy, std::move(damaged));
  for (int day = 0; day < length; ++day) {
    rotation.take_backup(day);
    rotation.expire();
    rotation.drill(day);
  }
  return rotation;
}

TEST(Rotation, EveryBackupIsProvedBeforeItExpires) {
  for (const auto& policy : {Policy{.fulls = 1}, Policy{.fulls = 2}, Policy{.fulls = 4},
                             Policy{.fulls = 2, .differentials = 3}}) {
    const auto rotation = simulated(policy, 30);
    EXPECT_THAT(rotation.expired_unproved, testing::IsEmpty())
        << policy.fulls << " " << policy.differentials;
    if (policy.fulls <= 2) {
      EXPECT_GT(rotation.expired, 10);
    }
  }
}

TEST(Rotation, AYearWithDamagedBackupsDoesNotKeepOthersFromBeingProved) {
  const auto rotation =
      simulated({.fulls = 2}, 365,
                {"20261101-010000F", "20261108-010000F", "20261108-010000F_20261110-010000D"});
  EXPECT_THAT(rotation.expired_unproved, testing::IsEmpty());
}

}  // namespace
}  // namespace pgrehearse
