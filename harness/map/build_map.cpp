#include "harness/map/build_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "harness/primary/archiver_status.hpp"
#include "harness/primary/primary_state.hpp"

namespace pgrehearse {

namespace {

std::uint64_t distance(Lsn from, Lsn to) { return to > from ? to.value - from.value : 0; }

// The primary was read after the archive: only a wrong clock makes its newest commit older.
void measure_seconds(Instant archived, bool standby, ArchiveLag& lag, RecoveryMap& map) {
  const Seconds seconds = *lag.primary_commit - archived;
  if (seconds < -clock_tolerance) {
    map.unknown.push_back(
        fmt::format("archive lag: the newest commit of {} ({}) is earlier than the newest archived "
                    "one ({}): {}",
                    standby ? "the standby" : "the primary", to_text(*lag.primary_commit),
                    to_text(archived), standby ? "it lags" : "a clock was set back"));
    return;
  }
  lag.seconds = std::max(0.0, seconds.count());
}

}  // namespace

RecoveryMap build_map(const RepositorySpec& spec, BackupRepository& repository, MapReading reading,
                      const std::stop_token& stop) {
  constexpr std::uint64_t default_size = std::uint64_t{16} << 20U;
  RecoveryMap map{.stanza = spec.stanza, .tool_version = repository.version(stop)};
  const auto list = repository.list(stop);
  map.status = list.status;
  map.created_at = std::chrono::system_clock::now();
  // Newest cluster first, then by repository.
  std::map<std::tuple<int, int>, std::vector<Backup>> clusters;
  for (const auto& backup : list.backups) {
    clusters[{-backup.database_id, backup.repository_key}].push_back(backup);
  }
  // By repository: its problems that concern none of its archives.
  std::map<int, std::vector<std::string>> problems;
  for (const auto& [cluster, backups] : clusters) {
    const int key = backups.back().repository_key;
    if (reading == MapReading::verify && !problems.contains(key)) {
      problems[key] = repository.verify(backups.back(), stop).problems;
    }
    const auto size = repository.wal_segment_size(backups.back(), stop).value_or(default_size);
    const auto archive = repository.list_archive(backups.back(), size, stop);
    map.archives.push_back(
        map_archive(backups, archive, take_damage(problems[key], backups, archive)));
    map.archives.back().verified = reading == MapReading::verify;
  }
  for (const auto& [key, rest] : problems) {
    for (const auto& problem : rest) map.unknown.push_back("verification: " + problem);
  }
  return map;
}

void measure_lag(RecoveryMap& map, const Primary& primary, const std::stop_token& stop) {
  if (map.archives.empty() || map.archives.front().branches.empty()) return;
  const auto& archive = map.archives.front();
  try {
    const auto identity = primary.identity(stop);
    if (identity.system_identifier != archive.system_identifier) {
      map.unknown.push_back(fmt::format(
          "archive lag: the primary has system identifier {}, the newest archive has {}",
          identity.system_identifier, archive.system_identifier));
      return;
    }
    const auto status = read_archiver(primary, stop);
    const auto& branch = archive.branches.front();
    const auto recoverable =
        branch.windows.empty() ? branch.archive_begin : branch.windows.back().end.lsn;
    ArchiveLag lag{.primary_lsn = status.lsn,
                   .timeline = status.timeline,
                   .archive_end = branch.archive_end,
                   .bytes = distance(recoverable, status.lsn),
                   .primary_commit = primary.newest_commit(stop),
                   .last_archived = status.last_archived,
                   .last_archived_at = status.last_archived_at,
                   .last_failed = status.last_failed,
                   .last_failed_at = status.last_failed_at,
                   .failing = status.failing()};
    if (lag.primary_commit && !branch.windows.empty() && branch.windows.back().end.time) {
      measure_seconds(*branch.windows.back().end.time, status.in_recovery, lag, map);
    }
    map.lag = std::move(lag);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    map.unknown.push_back(fmt::format("archive lag: {}", error.what()));
  }
}

}  // namespace pgrehearse
