// Parses the output of `pgbackrest verify --output=text --verbose`. Its exit code is always 0
// (measured with 2.45).
#pragma once

#include <optional>
#include <string_view>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// nullopt when the output has no result. One problem per file named in log lines, then per invalid
// backup or archive that no log line explains.
std::optional<BackupRepository::Verification> parse_verification(std::string_view output);

}  // namespace pgrehearse
