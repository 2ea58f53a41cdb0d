// Reads what `pgbackrest verify --output=text --verbose` prints. Its exit code is 0 whatever it
// finds (measured with 2.45).
#pragma once

#include <optional>
#include <string_view>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// nullopt when the output holds no verdict. One problem each: files that the log lines name, then
// sets and archives that are not valid and that no such line explains.
std::optional<BackupRepository::Verification> parse_verification(std::string_view output);

}  // namespace pgrehearse
