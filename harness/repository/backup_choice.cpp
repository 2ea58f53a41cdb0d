// Selects the backup for a recovery target by pgBackRest's own rule (restoreBackupSet() in
// src/command/restore), so that a drill restores what an operator's restore would.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <tuple>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/sha256.hpp"
#include "harness/common/text.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

namespace {

std::string type_text(BackupType type) {
  return type == BackupType::full           ? "full"
         : type == BackupType::differential ? "differential"
                                            : "incremental";
}

std::string described(const Backup& backup) {
  auto text = fmt::format("{} backup of {}", type_text(backup.type), to_text(backup.stop_time));
  if (backup.repository_key != 1) text += fmt::format(" in repository {}", backup.repository_key);
  return text;
}

// pgBackRest compares whole seconds, strictly: a target within the second in which the backup ended
// is before its end. A backup of an old release, without an LSN, does not fit an LSN target.
bool ends_before(const Backup& backup, const RecoveryTarget& target) {
  if (target.type == TargetType::time && target.time) {
    return std::chrono::floor<std::chrono::seconds>(backup.stop_time) <
           std::chrono::floor<std::chrono::seconds>(*target.time);
  }
  if (target.type == TargetType::lsn && target.lsn) {
    return backup.stop_lsn && *backup.stop_lsn <= *target.lsn;
  }
  return true;
}

// Where the recoverable window for a target of this type begins.
std::string window(const BackupList& list, const RecoveryTarget& target) {
  const auto& oldest = list.backups.front();
  if (target.type == TargetType::lsn) {
    const auto has_lsn = [](const Backup& backup) { return backup.stop_lsn.has_value(); };
    const auto first = std::ranges::find_if(list.backups, has_lsn);
    if (first == list.backups.end()) return "no backup records its LSN";
    return fmt::format("the recoverable window begins at {}, the end of backup {}",
                       to_text(*first->stop_lsn), first->label);
  }
  return fmt::format("the recoverable window begins after {}, the end of backup {}",
                     to_text(oldest.stop_time), oldest.label);
}

[[noreturn]] void refuse(const std::string& message, const std::string& hint,
                         const std::string& object = {}) {
  throw Error(ErrorKind::repository, message, hint, FindingCode::backup_none, object);
}

// The repository has backups, but not what the scenario names.
[[noreturn]] void refuse_scenario(const std::string& message, const std::string& hint,
                                  const std::string& object) {
  throw Error(ErrorKind::usage, message, hint, FindingCode::backup_none, object);
}

std::string end_of(const Backup& backup, const RecoveryTarget& target) {
  if (target.type == TargetType::lsn) {
    return backup.stop_lsn ? "ends at " + to_text(*backup.stop_lsn) : "has no LSN";
  }
  return "ends at " + to_text(backup.stop_time);
}

const Backup& require_fit(const Backup& backup, const BackupList& list,
                          const RecoveryTarget& target) {
  if (ends_before(backup, target)) return backup;
  refuse_scenario(fmt::format("backup {} {}, not before the target {}", backup.label,
                              end_of(backup, target), to_text(target)),
                  window(list, target) + "; set repository.backup to an older backup, or remove it",
                  backup.label);
}

BackupChoice choose_stated(const BackupList& list, const std::string& label,
                           const RecoveryTarget& target) {
  const auto found = std::ranges::find(list.backups, label, &Backup::label);
  if (found == list.backups.end()) {
    std::vector<std::string> labels;
    for (const auto& backup : list.backups) labels.push_back(backup.label);
    const auto near = nearest(label, labels);
    refuse_scenario(fmt::format("there is no backup '{}'", label),
                    near ? fmt::format("did you mean '{}'?", *near)
                         : fmt::format("the newest backup is {}", labels.back()),
                    label);
  }
  return {.backup = require_fit(*found, list, target),
          .reason = fmt::format("named in the scenario: {}", described(*found))};
}

std::vector<int> repository_keys(const BackupList& list) {
  std::vector<int> keys;
  for (const auto& backup : list.backups) keys.push_back(backup.repository_key);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

bool is_of_newest_database(const BackupList& list, const Backup& backup) {
  const auto newest = list.newest_database.find(backup.repository_key);
  return newest == list.newest_database.end() || backup.database_id >= newest->second;
}

bool selects_by_position(const RecoveryTarget& target) {
  return target.type == TargetType::time || target.type == TargetType::lsn;
}

bool fits(const BackupList& list, const Backup& backup, const RecoveryTarget& target) {
  // Without a position, only a backup of the current cluster fits.
  return selects_by_position(target) ? ends_before(backup, target)
                                     : is_of_newest_database(list, backup);
}

// The newest fitting backup of the first repository that has one, in order of repository keys.
const Backup* newest_fit(const BackupList& list, const RecoveryTarget& target) {
  for (const int key : repository_keys(list)) {
    for (auto backup = list.backups.rbegin(); backup != list.backups.rend(); ++backup) {
      if (backup->repository_key != key) continue;
      if (fits(list, *backup, target)) return &*backup;
    }
  }
  return nullptr;
}

std::vector<const Backup*> fitting(const BackupList& list, const RecoveryTarget& target) {
  std::vector<const Backup*> candidates;
  for (const auto& backup : list.backups) {
    if (fits(list, backup, target)) candidates.push_back(&backup);
  }
  return candidates;
}

// The same backup for the same seed, as long as it exists: others may come and go.
BackupChoice choose_random(const std::vector<const Backup*>& candidates, std::uint64_t seed) {
  const auto lot = [&](const Backup* backup) {
    return sha256_of(fmt::format("{} {} {}", seed, backup->repository_key, backup->label));
  };
  const auto* backup = std::ranges::min(candidates, {}, lot);
  return {.backup = *backup,
          .reason = fmt::format("chosen at random with seed {}: {}", seed, described(*backup))};
}

// pgBackRest expires backups in the order of their labels. A backup that fails is tried again after
// the others.
BackupChoice choose_unproved(const std::vector<const Backup*>& candidates,
                             const BackupTrials& trials) {
  const auto trial = [&](const Backup* backup) {
    const auto found = trials.find({backup->repository_key, backup->label});
    return found == trials.end() ? BackupTrial{} : found->second;
  };
  const auto rank = [&](const Backup* backup) {
    const auto [passed, tried] = trial(backup);
    return std::tuple(passed.value_or(Instant::min()), tried.value_or(Instant::min()),
                      backup->label);
  };
  const auto* backup = std::ranges::min(candidates, {}, rank);
  const auto [passed, tried] = trial(backup);
  std::string reason = "the oldest backup that no drill has proved";
  if (passed) {
    reason = fmt::format("every backup is proved; the proof of this one is the oldest, {}",
                         to_text(*passed));
  } else if (tried) {
    reason = fmt::format("not proved yet, and last tried {}", to_text(*tried));
  }
  return {.backup = *backup, .reason = fmt::format("{}: {}", reason, described(*backup))};
}

BackupChoice choose_older(const std::vector<const Backup*>& candidates,
                          std::chrono::milliseconds age) {
  const auto limit = Instant(std::chrono::system_clock::now()) - age;
  for (const auto* backup : candidates | std::views::reverse) {
    if (backup->stop_time > limit) continue;
    return {.backup = *backup,
            .reason = fmt::format("the newest backup that is older than {}: {}",
                                  to_text(Seconds(age)), described(*backup))};
  }
  refuse_scenario(fmt::format("no backup is older than {}", to_text(Seconds(age))),
                  fmt::format("the oldest backup is of {}; set repository.backup.older_than to a "
                              "shorter time",
                              to_text(candidates.front()->stop_time)),
                  candidates.front()->label);
}

std::string reason_for(const BackupList& list, const Backup& backup, const RecoveryTarget& target) {
  std::string reason;
  switch (target.type) {
    case TargetType::latest:
    case TargetType::immediate:
      reason = "the newest backup";
      break;
    case TargetType::time:
      reason = "the newest backup that ended before the target time " +
               to_text(*target.time, target.utc_offset);
      break;
    case TargetType::lsn:
      reason = "the newest backup that ended at or before the target LSN " + to_text(*target.lsn);
      break;
    case TargetType::xid:
    case TargetType::name:
      reason = "the newest backup, because pgBackRest does not select by " +
               std::string(target.type == TargetType::xid ? "xid" : "name") +
               "; for an older target set repository.backup to oldest or to a label";
      break;
  }
  reason += ": " + described(backup);
  if (!is_of_newest_database(list, backup)) {
    reason += ", taken before the last stanza-upgrade";
  }
  return reason;
}

}  // namespace

bool is_time_target(const RecoveryTarget& target) {
  return target.type == TargetType::latest || target.type == TargetType::time;
}

std::string to_text(const RecoveryTarget& target) {
  std::string text;
  switch (target.type) {
    case TargetType::latest:
      text = "latest";
      break;
    case TargetType::immediate:
      text = "immediate";
      break;
    case TargetType::time:
      text = "time " + (target.time ? to_text(*target.time, target.utc_offset) : std::string("?"));
      break;
    case TargetType::lsn:
      text = "lsn " + (target.lsn ? to_text(*target.lsn) : std::string("?"));
      break;
    case TargetType::xid:
      text = fmt::format("xid {}", target.xid.value_or(0));
      break;
    case TargetType::name:
      text = "name " + target.name;
      break;
  }
  if (target.within) text = fmt::format("random within {}", to_text(Seconds(*target.within)));
  if (target.exclusive) text += " (exclusive)";
  if (target.timeline != "latest") text += " on timeline " + target.timeline;
  if (!target.chosen.empty()) text += fmt::format(" ({})", target.chosen);
  return text;
}

BackupChoice choose_backup(const BackupList& list, const RepositorySpec& spec,
                           const RecoveryTarget& target) {
  if (list.backups.empty()) {
    const bool stanza = spec.type == "pgbackrest";
    refuse(
        fmt::format("{} '{}' has no backup: {}", stanza ? "stanza" : spec.type, spec.stanza,
                    list.status.message),
        stanza ? "take a full backup with 'pgbackrest backup --type=full'" : "take a backup first",
        spec.stanza);
  }
  if (spec.backup == "oldest") {
    const auto& oldest = require_fit(list.backups.front(), list, target);
    return {.backup = oldest, .reason = "the oldest backup: " + described(oldest)};
  }
  const auto candidates = fitting(list, target);
  const bool older_than = spec.backup == "older_than" && spec.older_than;
  if (!candidates.empty()) {
    if (spec.backup == "random") return choose_random(candidates, spec.seed);
    if (spec.backup == "unproved") return choose_unproved(candidates, spec.trials);
    if (older_than) return choose_older(candidates, *spec.older_than);
  }
  const bool is_rule =
      spec.backup == "latest" || spec.backup == "random" || spec.backup == "unproved" || older_than;
  if (!is_rule) return choose_stated(list, spec.backup, target);
  const auto* chosen = newest_fit(list, target);
  if (chosen == nullptr && selects_by_position(target)) {
    refuse_scenario(fmt::format("no backup ended before the target {}", to_text(target)),
                    window(list, target), to_text(target));
  }
  if (chosen == nullptr) {
    refuse(fmt::format(
               "no backup has been taken since the last stanza-upgrade; the newest backup is {}",
               list.backups.back().label),
           "take a full backup, or set repository.backup to a backup of the earlier cluster",
           list.backups.back().label);
  }
  return {.backup = *chosen, .reason = reason_for(list, *chosen, target)};
}

}  // namespace pgrehearse
