#include "harness/map/build_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "harness/primary/archiver_status.hpp"

namespace pgrehearse {

namespace {

std::uint64_t behind(Lsn primary, Lsn archive) {
  return primary > archive ? primary.value - archive.value : 0;
}

}  // namespace

RecoveryMap build_map(const RepositorySpec& spec, BackupRepository& repository, MapReading reading,
                      const std::stop_token& stop) {
  constexpr std::uint64_t usual = std::uint64_t{16} << 20U;
  RecoveryMap map{.stanza = spec.stanza, .tool_version = repository.version(stop)};
  const auto list = repository.list(stop);
  map.status = list.status;
  map.drawn_at = std::chrono::system_clock::now();
  // Newest cluster first, then by repository.
  std::map<std::tuple<int, int>, std::vector<Backup>> clusters;
  for (const auto& backup : list.backups) {
    clusters[{-backup.database_id, backup.repository_key}].push_back(backup);
  }
  // By repository: what is left of its problems when each archive has taken its own.
  std::map<int, std::vector<std::string>> problems;
  for (const auto& [place, sets] : clusters) {
    const int key = sets.back().repository_key;
    if (reading == MapReading::verify && !problems.contains(key)) {
      problems[key] = repository.verify(sets.back(), stop).problems;
    }
    const auto size = repository.wal_segment_size(sets.back(), stop).value_or(usual);
    const auto archive = repository.list_archive(sets.back(), size, stop);
    map.archives.push_back(map_archive(sets, archive, take_damage(problems[key], sets, archive)));
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
          "the lag: the primary's system identifier is {}, that of the newest archive is {}",
          identity.system_identifier, archive.system_identifier));
      return;
    }
    const auto status = read_archiver(primary, stop);
    const auto& branch = archive.branches.front();
    const auto recoverable =
        branch.stretches.empty() ? branch.archive_begin : branch.stretches.back().end.lsn;
    ArchiveLag lag{.primary_lsn = status.lsn,
                   .timeline = status.timeline,
                   .archive_end = branch.archive_end,
                   .bytes = behind(status.lsn, recoverable),
                   .primary_commit = primary.newest_commit(stop),
                   .last_archived = status.last_archived,
                   .last_archived_at = status.last_archived_at,
                   .last_failed = status.last_failed,
                   .last_failed_at = status.last_failed_at};
    lag.failing = lag.last_failed_at &&
                  (!lag.last_archived_at || *lag.last_failed_at > *lag.last_archived_at);
    if (lag.primary_commit && !branch.stretches.empty() && branch.stretches.back().end.time) {
      lag.seconds =
          std::max(0.0, Seconds(*lag.primary_commit - *branch.stretches.back().end.time).count());
    }
    map.lag = std::move(lag);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    map.unknown.push_back(fmt::format("the lag: {}", error.what()));
  }
}

}  // namespace pgrehearse
