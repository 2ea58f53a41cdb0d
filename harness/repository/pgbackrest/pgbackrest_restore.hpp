// The command line of a restore, and its progress lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// Options of `pgbackrest restore` after stanza, repository and log options: what to restore, where,
// and how recovery ends. Switches off every production option that would write outside the sandbox
// or change what is restored.
std::vector<std::string> restore_options(const Backup& backup, const RecoveryTarget& target,
                                         const SandboxPaths& paths, int processes,
                                         const std::vector<std::string>& databases = {});

// The completed fraction, 0..1, in a line such as "P01 DETAIL: restore file /a/b (8KB, 94.73%)
// checksum ..."; nullopt for other lines.
std::optional<double> parse_restore_progress(std::string_view line);

}  // namespace pgrehearse
