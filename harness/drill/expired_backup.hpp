// A backup that expires while it is being restored or checked: what fails then is no evidence
// against it.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/drill/check_runner.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// False also where the repository cannot be read: then the first error is the cause.
bool backup_expired(BackupRepository& repository, const std::string& label,
                    const std::stop_token& stop);

// Error(environment, backup_expired) in place of `error`.
Error expired_during_drill(const std::string& label, const Error& error);

// Failed checks become unknown, and their findings notes.
void excuse_expired_backup(const std::string& label, std::vector<FinishedCheck>& checks);

}  // namespace pgrehearse
