// Which files and directories of this host pgBackRest reads, by its configuration.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// Configuration files in the order in which pgBackRest reads them. `root` stands for "/" in tests.
std::vector<std::filesystem::path> pgbackrest_configuration_files(
    const std::optional<std::filesystem::path>& stated,
    const std::map<std::string, std::string>& variables, const std::filesystem::path& root = "/");

// The places, and what symbolic links in their upper three levels lead to: a repository whose
// `archive` lies elsewhere.
std::vector<std::filesystem::path> with_linked_places(std::vector<std::filesystem::path> places);

// The options of each repository by its key, without their "repo1-": "path", "cipher-pass". There
// is always one repository at least.
std::map<int, std::map<std::string, std::string>> pgbackrest_repositories(
    const std::vector<std::string>& texts, const std::map<std::string, std::string>& variables,
    const std::string& stanza);

// `texts`: of the configuration files; `variables`: PGBACKREST_* of the environment, which win. The
// files themselves are not among the places.
RepositoryAccess parse_pgbackrest_access(const std::vector<std::string>& texts,
                                         const std::map<std::string, std::string>& variables,
                                         const RepositorySpec& spec);

}  // namespace pgrehearse
