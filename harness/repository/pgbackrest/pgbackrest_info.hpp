// Parses `pgbackrest info --output=json`: strict about keys that a restore depends on, tolerant of
// keys added by newer releases (format: src/command/info/info.c of pgBackRest).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The stanza's backups. A stanza that is not listed has status code 1. If the overall status is
// only "mixed" or "other", the message is composed of the repositories' messages. Throws
// Error(repository, repo_info) with the location on malformed or incomplete JSON.
BackupList parse_pgbackrest_info(std::string_view json, const std::string& stanza);

// The listed stanzas, for "did you mean" hints.
std::vector<std::string> stanza_names(std::string_view json);

// The files with page errors listed by `info --set=LABEL`.
std::vector<std::string> parse_error_list(std::string_view json);

}  // namespace pgrehearse
