#include "harness/serve/metrics/repository_samples.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <set>

#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

using Labels = std::map<std::string, std::string>;

double unix_seconds(Instant instant) { return Seconds(instant.time_since_epoch()).count(); }

void add_newest_backup(const MappedBackup& newest, const Labels& labels, MetricSamples& samples) {
  const auto& backup = newest.backup;
  samples.push_back(
      {"pgrehearse_backup_stop_timestamp_seconds", labels, unix_seconds(backup.stop_time)});
  samples.push_back({"pgrehearse_backup_duration_seconds", labels,
                     Seconds(backup.stop_time - backup.start_time).count()});
  samples.push_back(
      {"pgrehearse_backup_size_bytes", labels, static_cast<double>(backup.size.count)});
  if (backup.repository_size.count > 0) {
    samples.push_back({"pgrehearse_backup_repository_size_bytes", labels,
                       static_cast<double>(backup.repository_size.count)});
  }
  samples.push_back({"pgrehearse_backup_error", labels, backup.error ? 1.0 : 0.0});
}

void add_backups(const MapArchive& archive, const Labels& labels, MetricSamples& samples) {
  Labels typed = labels;
  for (const auto type : {BackupType::full, BackupType::differential, BackupType::incremental}) {
    typed["type"] = name_of(type);
    const auto count = std::ranges::count_if(
        archive.backups, [&](const auto& mapped) { return mapped.backup.type == type; });
    samples.push_back({"pgrehearse_backups", typed, static_cast<double>(count)});
  }
  const auto unusable =
      std::ranges::count_if(archive.backups, [](const auto& mapped) { return !mapped.usable(); });
  samples.push_back({"pgrehearse_unusable_backups", labels, static_cast<double>(unusable)});
  if (!archive.backups.empty()) add_newest_backup(archive.backups.back(), labels, samples);
}

void add_archive(const MapArchive& archive, const Labels& labels, MetricSamples& samples) {
  samples.push_back(
      {"pgrehearse_archive_size_bytes", labels, static_cast<double>(archive.bytes.count)});
  if (archive.branches.empty()) return;
  const auto& branch = archive.branches.front();
  samples.push_back({"pgrehearse_archive_gaps", labels, static_cast<double>(branch.gaps.size())});
  samples.push_back(
      {"pgrehearse_archive_end_lsn_bytes", labels, static_cast<double>(branch.archive_end.value)});
  if (branch.windows.empty()) return;
  if (const auto& oldest = branch.windows.front().begin.time) {
    samples.push_back(
        {"pgrehearse_oldest_recoverable_timestamp_seconds", labels, unix_seconds(*oldest)});
  }
  if (const auto& newest = branch.windows.back().end.time) {
    samples.push_back(
        {"pgrehearse_newest_recoverable_timestamp_seconds", labels, unix_seconds(*newest)});
  }
}

void add_archiver(const ArchiverStatus& status, const RecoveryMap& map, const Labels& labels,
                  MetricSamples& samples) {
  samples.push_back(
      {"pgrehearse_primary_lsn_bytes", labels, static_cast<double>(status.lsn.value)});
  samples.push_back({"pgrehearse_archive_failing", labels, status.failing() ? 1.0 : 0.0});
  if (!map.archives.empty() && !map.archives.front().branches.empty()) {
    const auto end = map.archives.front().branches.front().archive_end;
    const auto lag = status.lsn > end ? status.lsn.value - end.value : 0;
    samples.push_back({"pgrehearse_archive_lag_bytes", labels, static_cast<double>(lag)});
  }
  if (!status.waiting) return;
  samples.push_back({"pgrehearse_archive_lag_seconds", labels, status.waiting->oldest_age.count()});
  samples.push_back(
      {"pgrehearse_archive_waiting_segments", labels, static_cast<double>(status.waiting->count)});
}

}  // namespace

std::optional<FileSystemSpace> space_of(const std::filesystem::path& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0 || status.f_blocks == 0) return {};
  return FileSystemSpace{.size = std::uint64_t{status.f_blocks} * status.f_frsize,
                         .free = std::uint64_t{status.f_bavail} * status.f_frsize};
}

std::optional<std::filesystem::path> local_repository(const RepositoryAccess& access,
                                                      const std::string& stanza) {
  std::optional<std::filesystem::path> found;
  for (const auto& path : access.paths) {
    std::error_code failure;
    if (!std::filesystem::is_directory(path / "backup" / stanza, failure)) continue;
    if (found && *found != path) return {};
    found = path;
  }
  return found;
}

MetricSamples repository_samples(const RepositoryObservation& observation) {
  const auto& map = observation.map;
  const Labels stanza{{"stanza", printable(map.stanza)}};
  MetricSamples samples{
      {"pgrehearse_repository_status_code", stanza, static_cast<double>(map.status.code)}};
  std::set<int> seen;
  for (const auto& archive : map.archives) {
    // The first of a repository is that of its newest cluster.
    if (!seen.insert(archive.repository_key).second) continue;
    auto labels = stanza;
    labels["repository"] = std::to_string(archive.repository_key);
    samples.push_back(
        {"pgrehearse_repository_observed_timestamp_seconds", labels, unix_seconds(map.created_at)});
    add_backups(archive, labels, samples);
    add_archive(archive, labels, samples);
  }
  if (observation.archiver) add_archiver(*observation.archiver, map, stanza, samples);
  if (const auto& space = observation.space) {
    samples.push_back(
        {"pgrehearse_repository_size_bytes", stanza, static_cast<double>(space->size)});
    samples.push_back(
        {"pgrehearse_repository_free_bytes", stanza, static_cast<double>(space->free)});
  }
  return samples;
}

}  // namespace pgrehearse
