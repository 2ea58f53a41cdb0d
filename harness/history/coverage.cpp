#include "harness/history/coverage.hpp"

#include <algorithm>
#include <map>

namespace pgrehearse {

namespace {

using BackupKey = std::pair<std::uint64_t, std::string>;

void add_backup(std::map<BackupKey, ProvedBackup>& backups, const LedgerRow& pass) {
  const auto key = pass.repository_key.value_or(1);
  auto& backup = backups[{key, pass.backup_label}];
  ++backup.passes;
  if (backup.passes > 1 && backup.last_proved >= pass.started) return;
  backup.repository_key = key;
  backup.label = pass.backup_label;
  backup.type = pass.backup_type;
  backup.stopped = pass.backup_stopped;
  backup.last_proved = pass.started;
  backup.last_drill = pass.id;
}

std::vector<ProvedRange> merged(std::vector<ProvedRange> ranges) {
  std::ranges::sort(ranges, {}, &ProvedRange::from);
  std::vector<ProvedRange> result;
  for (const auto& range : ranges) {
    if (result.empty() || range.from > result.back().to) {
      result.push_back(range);
      continue;
    }
    result.back().to = std::max(result.back().to, range.to);
    result.back().last_proved = std::max(result.back().last_proved, range.last_proved);
  }
  return result;
}

}  // namespace

std::vector<StanzaCoverage> coverage_of(const std::vector<LedgerRow>& passes) {
  std::map<std::string, std::map<BackupKey, ProvedBackup>> backups;
  std::map<std::string, std::vector<ProvedRange>> ranges;
  for (const auto& pass : passes) {
    if (pass.verdict != Verdict::pass || pass.backup_label.empty()) continue;
    add_backup(backups[pass.stanza], pass);
    if (pass.backup_stopped && pass.landing_time && *pass.landing_time > *pass.backup_stopped) {
      ranges[pass.stanza].push_back(
          {.from = *pass.backup_stopped, .to = *pass.landing_time, .last_proved = pass.started});
    }
  }
  std::vector<StanzaCoverage> all;
  for (auto& [stanza, of_stanza] : backups) {
    StanzaCoverage coverage{.stanza = stanza, .ranges = merged(std::move(ranges[stanza]))};
    for (auto& [key, backup] : of_stanza) coverage.backups.push_back(std::move(backup));
    std::ranges::sort(coverage.backups, std::ranges::greater(), &ProvedBackup::label);
    all.push_back(std::move(coverage));
  }
  return all;
}

}  // namespace pgrehearse
