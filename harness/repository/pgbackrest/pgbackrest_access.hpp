// The files and directories of this host that pgBackRest reads, by its configuration.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// Configuration files in the order in which pgBackRest reads them. `root` replaces "/" in tests.
std::vector<std::filesystem::path> pgbackrest_configuration_files(
    const std::optional<std::filesystem::path>& stated,
    const std::map<std::string, std::string>& variables, const std::filesystem::path& root = "/");

// `paths`, and the targets of symbolic links in their upper three levels, for example a repository
// with `archive` on another disk.
std::vector<std::filesystem::path> with_link_targets(std::vector<std::filesystem::path> paths);

// The options of each repository by its key, without the prefix "repo1-": "path", "cipher-pass".
// At least one repository.
std::map<int, std::map<std::string, std::string>> pgbackrest_repositories(
    const std::vector<std::string>& texts, const std::map<std::string, std::string>& variables,
    const std::string& stanza);

// `texts`: the configuration files; `variables`: PGBACKREST_* environment variables, which take
// precedence. The configuration files are not in the result.
RepositoryAccess parse_pgbackrest_access(const std::vector<std::string>& texts,
                                         const std::map<std::string, std::string>& variables,
                                         const RepositorySpec& spec);

}  // namespace pgrehearse
