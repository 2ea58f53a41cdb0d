// The restore's command line and what its progress lines tell.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// Options of `pgbackrest restore` behind stanza, repository and log options: what is restored,
// where to, and how recovery ends. Everything in a production configuration that would lead out of
// the sandbox or change what is restored is switched off.
std::vector<std::string> restore_options(const Backup& backup, const RecoveryTarget& target,
                                         const SandboxPaths& paths, int processes);

// The share of the restore that is done, 0..1, of a line such as "P01 DETAIL: restore file /a/b
// (8KB, 94.73%) checksum ..."; nullopt for other lines.
std::optional<double> parse_restore_progress(std::string_view line);

}  // namespace pgrehearse
