// The options of every pgBackRest call: which repository, private paths, what is logged. Whatever
// the configuration file of a production host sets for them is overridden here.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

enum class PgBackRestCommand {
  archive_get,        // one segment, without the spool directory
  archive_get_ahead,  // prefetches into the spool directory
  info,
  repo_get,
  repo_ls,
  restore,
  verify,
};

// "archive-get", "info"
std::string_view name_of(PgBackRestCommand command);

// `key`: the repository, absent: all of them. `own`: a private directory; lock, log and spool paths
// are below it. No stanza option if the stanza's name is empty.
std::vector<std::string> pgbackrest_options(PgBackRestCommand command,
                                            const RepositorySpec& repository,
                                            std::optional<int> key,
                                            const std::filesystem::path& own);

}  // namespace pgrehearse
