// Finds base backups in a directory: in plain format, or in tar format.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/repository/backup_repository.hpp"
#include "harness/repository/basebackup/archive_directory.hpp"
#include "harness/repository/basebackup/wal_page_header.hpp"

namespace pgrehearse {

enum class BaseBackupFormat { plain, tar };

// Where one backup is.
struct BaseBackupPlace {
  std::filesystem::path directory;
  BaseBackupFormat format = BaseBackupFormat::plain;
  std::filesystem::path tar;  // base.tar, base.tar.gz, ...
};
// nullopt if `directory` contains no base backup itself.
std::optional<BaseBackupPlace> base_backup_in(const std::filesystem::path& directory);

struct FoundBaseBackup {
  Backup backup;
  BaseBackupPlace place;
};

// How files are read.
struct BaseBackupReading {
  // A member of a tar archive; empty if it has none. Reads up to the member.
  std::function<std::string(const std::filesystem::path& tar, const std::string& member)> member;
  // The first page header of a segment in the archive; nullopt if it cannot be read.
  std::function<std::optional<WalPageHeader>(const std::filesystem::path& segment)> header;
};

// The backups in `directory`, or the one that it is, oldest first. Throws Error(environment) when
// the directory cannot be read and Error(repository) when a backup cannot.
std::vector<FoundBaseBackup> find_base_backups(const std::filesystem::path& directory,
                                               const ArchiveFiles& archive,
                                               const BaseBackupReading& reading);

}  // namespace pgrehearse
