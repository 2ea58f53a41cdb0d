#include "harness/repository/basebackup/base_backups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/repository/basebackup/backup_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool is_there(const fs::path& path) {
  std::error_code unreadable;
  return fs::exists(path, unreadable);
}

// A complete backup that lost the file by which it is found.
bool is_incomplete(const fs::path& directory) {
  return is_there(directory / "backup_manifest") && !base_backup_in(directory);
}

// pg_basebackup renames the manifest when all else is on disk.
bool is_unfinished(const fs::path& directory) {
  return is_there(directory / "backup_manifest.tmp") && !is_there(directory / "backup_manifest");
}

Instant written_at(const fs::path& file) {
  std::error_code unreadable;
  const auto time = fs::last_write_time(file, unreadable);
  if (unreadable) return {};
  return std::chrono::time_point_cast<Instant::duration>(std::chrono::file_clock::to_sys(time));
}

Instant taken_at(const fs::path& backup) { return written_at(backup / "backup_manifest"); }

Bytes size_below(const fs::path& directory) {
  Bytes size;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code gone;
    if (entry->is_regular_file(gone)) size.count += entry->file_size(gone);
  }
  return size;
}

std::uint64_t system_identifier_in(const std::string& control) {
  std::uint64_t identifier = 0;
  if (control.size() >= sizeof identifier) std::memcpy(&identifier, control.data(), 8);
  return identifier;
}

class Reader {
 public:
  Reader(const ArchiveFiles& archive, const BaseBackupReading& reading)
      : archive_(archive), reading_(reading) {}

  FoundBaseBackup read_backup(const BaseBackupPlace& place) const {
    FoundBaseBackup found{.backup = {.label = place.directory.filename()}, .place = place};
    auto& backup = found.backup;
    const auto label = parse_backup_label(file_of(place, "backup_label"));
    if (label.incremental) {
      throw Error(ErrorKind::repository,
                  fmt::format("{} is an incremental backup", place.directory.native()),
                  "combine it with pg_combinebackup first: pgrehearse restores full backups",
                  FindingCode::repo_info, place.directory);
    }
    backup.start_lsn = label.start_lsn;
    backup.start_segment = label.start_segment;
    backup.tool_version = "pg_basebackup";
    const auto manifest_file = place.directory / "backup_manifest";
    BackupManifest manifest;
    if (is_there(manifest_file)) manifest = parse_backup_manifest(read(manifest_file));
    backup.stop_time = written_at(is_there(manifest_file) ? manifest_file : place.directory);
    backup.repository_size = size_below(place.directory);
    backup.size = manifest.files > 0 ? manifest.size : backup.repository_size;
    backup.stop_lsn = manifest.end_lsn;
    const auto started = parse_label_time(label.start_time);
    backup.start_time = started.value_or(backup.stop_time);
    add_history(backup);
    add_cluster(place, manifest, backup);
    return found;
  }

 private:
  std::string file_of(const BaseBackupPlace& place, const std::string& name) const {
    return place.format == BaseBackupFormat::plain ? read(place.directory / name)
                                                   : reading_.member(place.tar, name);
  }

  // The archive has the end of the backup, as the primary recorded it.
  void add_history(Backup& backup) const {
    const auto& histories = archive_.backups;
    for (auto file = histories.lower_bound(backup.start_segment);
         file != histories.end() && file->first.starts_with(backup.start_segment); ++file) {
      const auto text = read(file->second.path);
      const auto begun = text.find(to_text(*backup.start_lsn) + " ");
      if (begun == std::string::npos) continue;
      const auto history = parse_backup_history(text);
      if (history.stop_lsn) backup.stop_lsn = history.stop_lsn;
      backup.stop_segment = history.stop_segment;
      if (history.stop_time) backup.stop_time = *history.stop_time;
    }
  }

  // Reading a large tar file to its end takes long: WAL says the same.
  void add_cluster(const BaseBackupPlace& place, const BackupManifest& manifest,
                   Backup& backup) const {
    const auto segment = archive_.segments.find(backup.start_segment);
    std::optional<WalPageHeader> header;
    if (segment != archive_.segments.end()) header = reading_.header(segment->second.path);
    const bool known = header && header->postgres_major != 0;
    backup.system_identifier = manifest.system_identifier;
    if (place.format == BaseBackupFormat::tar && known) {
      backup.postgres_version = std::to_string(header->postgres_major);
      if (backup.system_identifier == 0) backup.system_identifier = header->system_identifier;
    } else {
      backup.postgres_version = std::string(trim(file_of(place, "PG_VERSION")));
      if (backup.system_identifier == 0) {
        backup.system_identifier = system_identifier_in(file_of(place, "global/pg_control"));
      }
    }
    backup.postgres_major = std::atoi(backup.postgres_version.c_str());
    if (backup.postgres_major == 0) {
      throw Error(ErrorKind::repository,
                  fmt::format("the PostgreSQL version of backup {} is unknown: its PG_VERSION "
                              "cannot be read",
                              place.directory.native()),
                  "the backup is incomplete: take a new one", FindingCode::repo_damaged,
                  place.directory);
    }
    if (backup.stop_segment.empty() && backup.stop_lsn && header) {
      const Lsn last{backup.stop_lsn->value - 1};
      backup.stop_segment =
          file_name(segment_at(header->timeline, last, header->segment_size), header->segment_size);
    }
  }

  const ArchiveFiles& archive_;
  const BaseBackupReading& reading_;
};

}  // namespace

std::optional<BaseBackupPlace> base_backup_in(const fs::path& directory) {
  if (is_there(directory / "backup_label")) return BaseBackupPlace{.directory = directory};
  for (const auto* name :
       {"base.tar", "base.tar.gz", "base.tar.lz4", "base.tar.zst", "base.tar.bz2", "base.tar.xz"}) {
    if (!is_there(directory / name)) continue;
    return BaseBackupPlace{
        .directory = directory, .format = BaseBackupFormat::tar, .tar = directory / name};
  }
  return {};
}

std::vector<FoundBaseBackup> find_base_backups(const fs::path& directory,
                                               const ArchiveFiles& archive,
                                               const BaseBackupReading& reading) {
  const Reader reader(archive, reading);
  std::vector<FoundBaseBackup> found;
  if (const auto own = base_backup_in(directory)) {
    found.push_back(reader.read_backup(*own));
    return found;
  }
  fs::path incomplete;  // the newest
  std::error_code failure;
  fs::directory_iterator entry(directory, failure);
  for (const fs::directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    std::error_code gone;
    if (!entry->is_directory(gone) || is_unfinished(entry->path())) continue;
    if (const auto place = base_backup_in(entry->path())) {
      found.push_back(reader.read_backup(*place));
    } else if (is_incomplete(entry->path()) &&
               (incomplete.empty() || taken_at(incomplete) < taken_at(entry->path()))) {
      incomplete = entry->path();
    }
  }
  if (failure) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot read the directory of backups {}: {}", directory.native(),
                            failure.message()),
                "correct repository.path, or give the account of the drill read permission",
                failure == std::errc::permission_denied ? FindingCode::env_permission
                                                        : FindingCode::env_file,
                directory);
  }
  std::ranges::sort(found, {}, [](const auto& each) {
    return std::pair(each.backup.stop_time, each.backup.label);
  });
  // A drill would restore an older backup.
  if (!incomplete.empty() &&
      (found.empty() || found.back().backup.stop_time < taken_at(incomplete))) {
    throw Error(ErrorKind::repository,
                fmt::format("{} has a backup_manifest, but neither a backup_label nor a base.tar",
                            incomplete.native()),
                "take a new backup, and look for what removed the file",
                FindingCode::repo_file_missing, (incomplete / "backup_label").native());
  }
  return found;
}

}  // namespace pgrehearse
