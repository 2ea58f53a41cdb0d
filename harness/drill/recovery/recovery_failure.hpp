// What PostgreSQL's log says when recovery did not reach its target.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/drill/recovery/recovery.hpp"

namespace pgrehearse {

// The error that explains why the server ended, from the decisive line of its log and from the
// restore_command's requests. `asked` is the recovery target in words.
Error explain_recovery_failure(std::span<const std::string> log,
                               std::span<const WalRequest> requests, const std::string& asked);

// The newest lines of severity ERROR and worse, oldest first, for the report.
std::vector<std::string> decisive_lines(std::span<const std::string> log, std::size_t most = 5);

}  // namespace pgrehearse
