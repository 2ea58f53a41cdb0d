// Why recovery did not reach its target, according to PostgreSQL's log.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/drill/recovery/recovery.hpp"

namespace pgrehearse {

// The error that explains why the server ended, from the decisive line of its log and the requests
// of restore_command. `target` is the recovery target as text.
Error explain_recovery_failure(std::span<const std::string> log,
                               std::span<const WalRequest> requests, const std::string& target);

// The newest lines of severity ERROR and worse, oldest first, for the report.
std::vector<std::string> decisive_lines(std::span<const std::string> log, std::size_t most = 5);

}  // namespace pgrehearse
