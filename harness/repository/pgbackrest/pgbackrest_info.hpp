// Reads `pgbackrest info --output=json`: strict about what decides a restore, tolerant of keys that
// newer releases add (format: src/command/info/info.c of pgBackRest).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The stanza's backups. A stanza that is not listed gives status code 1. Where the overall status
// only says "mixed" or "other", its message is made of the repositories' own.
// Throws Error(repository, PGR-REPO-INFO) with the place on malformed or incomplete JSON.
BackupList parse_pgbackrest_info(std::string_view json, const std::string& stanza);

// The stanzas that the output lists, for near-miss hints.
std::vector<std::string> stanza_names(std::string_view json);

// The files with page errors that `info --set=LABEL` lists; empty where it lists none.
std::vector<std::string> parse_error_list(std::string_view json);

}  // namespace pgrehearse
