#include "harness/laboratory/backup_tool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

struct ToolRow {
  BackupTool tool;
  std::string_view name;
  std::string_view title;
};
constexpr auto tools = std::to_array<ToolRow>({
    {BackupTool::pgbackrest, "pgbackrest", "pgBackRest"},
    {BackupTool::basebackup, "basebackup", "plain PostgreSQL"},
    {BackupTool::barman, "barman", "Barman"},
});

const ToolRow& row_of(BackupTool tool) {
  return *std::ranges::find(tools, tool, [](const auto& row) { return row.tool; });
}

// The text of a file between `key` and the first of `ends`; the last occurrence of the key.
std::string value_in(const fs::path& file, std::string_view key, std::string_view ends) {
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto at = text.rfind(key);
  if (at == std::string::npos) return {};
  const auto begin = at + key.size();
  return text.substr(begin, text.find_first_of(ends, begin) - begin);
}

}  // namespace

std::string_view name_of(BackupTool tool) { return row_of(tool).name; }

std::string_view title_of(BackupTool tool) { return row_of(tool).title; }

std::optional<BackupTool> parse_backup_tool(std::string_view name) {
  const auto* found = std::ranges::find(tools, name, [](const auto& row) { return row.name; });
  return found == tools.end() ? std::nullopt : std::optional(found->tool);
}

std::vector<std::string> backup_tool_names() {
  std::vector<std::string> names;
  for (const auto& row : tools) names.emplace_back(row.name);
  return names;
}

fs::path RepositoryPlace::backups() const {
  if (tool == BackupTool::basebackup) return repository / "base";
  return tool == BackupTool::barman ? repository / stanza / "base" : repository / "backup" / stanza;
}

fs::path RepositoryPlace::archive() const {
  if (tool == BackupTool::basebackup) return repository / "archive";
  return tool == BackupTool::barman ? repository / stanza / "wals"
                                    : repository / "archive" / stanza;
}

fs::path RepositoryPlace::data_of(const std::string& backup) const {
  const auto directory = backups() / backup;
  if (tool == BackupTool::basebackup) return directory;
  return directory / (tool == BackupTool::barman ? "data" : "pg_data");
}

std::string RepositoryPlace::newest_backup() const {
  if (tool == BackupTool::pgbackrest) return fs::read_symlink(backups() / "latest").native();
  std::string newest;
  for (const auto& entry : fs::directory_iterator(backups())) {
    newest = std::max(newest, entry.path().filename().native());
  }
  if (!newest.empty()) return newest;
  throw Error(ErrorKind::environment, fmt::format("{} has no backup", backups().native()));
}

std::string RepositoryPlace::newest_start_lsn() const {
  if (tool == BackupTool::pgbackrest) {
    return value_in(backups() / "backup.info", "\"backup-lsn-start\":\"", "\"");
  }
  const auto backup = newest_backup();
  return tool == BackupTool::barman
             ? value_in(backups() / backup / "backup.info", "begin_xlog=", "\n")
             : value_in(data_of(backup) / "backup_label", "START WAL LOCATION: ", " \n");
}

std::string RepositoryPlace::scenario_value() const {
  switch (tool) {
    case BackupTool::basebackup:
      return fmt::format("{{ type: basebackup, path: \"{}\", archive: \"{}\" }}",
                         backups().native(), archive().native());
    case BackupTool::barman:
      return fmt::format("{{ type: barman, server: {}, config: \"{}\" }}", stanza,
                         configuration.native());
    case BackupTool::pgbackrest:
      break;
  }
  return fmt::format("{{ type: pgbackrest, stanza: {}, config: \"{}\" }}", stanza,
                     configuration.native());
}

}  // namespace pgrehearse
