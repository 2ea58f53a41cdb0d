// The backup tools of laboratories, and how each of them stores a repository.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

enum class BackupTool { pgbackrest, basebackup, barman };

// The value of repository.type in a scenario.
std::string_view name_of(BackupTool tool);
std::optional<BackupTool> parse_backup_tool(std::string_view name);
std::vector<std::string> backup_tool_names();
// "pgBackRest", "plain PostgreSQL", "Barman"
std::string_view title_of(BackupTool tool);

// A repository of a laboratory, or a copy of it.
struct RepositoryPlace {
  BackupTool tool = BackupTool::pgbackrest;
  std::filesystem::path repository;
  std::string stanza;                   // Barman: the server's name; basebackup: unused
  std::filesystem::path configuration;  // basebackup: unused

  // Directory of the backups, one subdirectory each.
  [[nodiscard]] std::filesystem::path backups() const;
  // Directory of the WAL archive, searched with all of its subdirectories.
  [[nodiscard]] std::filesystem::path archive() const;
  // The data directory as stored in a backup.
  [[nodiscard]] std::filesystem::path data_of(const std::string& backup) const;
  // Label of the newest backup. Throws Error(environment) if there is none.
  [[nodiscard]] std::string newest_backup() const;
  // Start LSN of the newest backup; empty: unknown, because the repository is encrypted.
  [[nodiscard]] std::string newest_start_lsn() const;
  // The value of the key `repository` in a scenario, as YAML.
  [[nodiscard]] std::string scenario_value() const;
};

}  // namespace pgrehearse
