// Parses what Barman writes: its list of backups, and the file backup.info of each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

struct BarmanListed {
  std::string id;
  std::string status;  // "DONE", "FAILED", "WAITING_FOR_WALS", ...
};
// Of `barman -f json list-backups SERVER`. Throws Error(repository, repo_info).
std::vector<BarmanListed> parse_barman_list(std::string_view json, const std::string& server);

struct BarmanBackup {
  Backup backup;
  std::uint64_t segment_size = 0;
  std::map<std::string, std::string> tablespaces;  // OID by name
};
// Throws Error(repository, repo_info) if the file is not complete.
BarmanBackup parse_backup_info(std::string_view text, const std::string& id);

// The first message of a failed command, without its level.
std::string barman_message(std::string_view error_output, std::string_view output);

}  // namespace pgrehearse
