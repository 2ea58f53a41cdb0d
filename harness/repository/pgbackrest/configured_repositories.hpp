// The repositories in pgBackRest's configuration, and the configuration for a copy of a repository
// in another directory.
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
  std::string remote;       // "repo1 is on host backup1"; empty: in a directory of this host
  std::string cipher_type;  // empty: not encrypted
  std::string passphrase;   // secret
  // The other lines of the configuration, with sections: none about repositories, hosts or
  // pgBackRest's own directories.
  std::vector<std::string> other_lines;
};

// By key, at least one. `texts`: the configuration files; `variables`: PGBACKREST_* environment
// variables, which take precedence.
std::vector<ConfiguredRepository> parse_configured_repositories(
    const std::vector<std::string>& texts, const std::map<std::string, std::string>& variables,
    const std::string& stanza);

// The same, from the files as read by `account` and from this process's environment.
std::vector<ConfiguredRepository> read_configured_repositories(const RepositorySpec& spec,
                                                               const Account& account);

// pgBackRest's configuration for a copy in `path`, as repo1; lock, log and spool paths are below
// `own`. Contains the passphrase if the repository is encrypted.
std::string configuration_of_copy(const ConfiguredRepository& repository,
                                  const std::filesystem::path& path,
                                  const std::filesystem::path& own);

}  // namespace pgrehearse
