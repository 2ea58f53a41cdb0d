// One repository as pgBackRest's configuration describes it, and the configuration that a copy of
// it in another directory needs.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/process/command.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

struct ConfiguredRepository {
  int key = 1;
  std::filesystem::path path;
  std::string elsewhere;    // "repo1 is on host backup1"; empty: in a directory of this host
  std::string cipher_type;  // empty: not encrypted
  std::string passphrase;   // secret
  // The configuration's other lines, sections included: nothing of a repository, of a host or of
  // pgBackRest's own directories.
  std::vector<std::string> other_lines;
};

// By key, one at least. `texts`: of the configuration files; `variables`: PGBACKREST_* of the
// environment, which win.
std::vector<ConfiguredRepository> parse_configured_repositories(
    const std::vector<std::string>& texts, const std::map<std::string, std::string>& variables,
    const std::string& stanza);

// The same from the files that `account` reads and this process's environment.
std::vector<ConfiguredRepository> read_configured_repositories(const RepositorySpec& spec,
                                                               const Account& account);

// pgBackRest's configuration for a copy in `path`, as repo1; its lock files and the like go below
// `own`. Secret where the repository is encrypted.
std::string configuration_of_copy(const ConfiguredRepository& repository,
                                  const std::filesystem::path& path,
                                  const std::filesystem::path& own);

}  // namespace pgrehearse
