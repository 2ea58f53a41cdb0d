// Reading the archived WAL before anything is restored, for commands that look for transactions.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/locate/archive_scan.hpp"
#include "harness/locate/target_resolver.hpp"

namespace pgrehearse {

struct ArchiveSearch {
  std::vector<std::string> managers;  // resource managers; empty: all
  WalChunkReader::Watch watch = {};
  Lsn begin;
};
// Reads in a sandbox of its own, with progress on standard error. Throws Error.
ScanOutcome search_archive(const ScenarioParts& parts, const Preparation& preparation,
                           const ArchiveSearch& search, const std::function<bool(WalChunk)>& take,
                           const CommonOptions& common, const std::stop_token& stop);

// The positions of the targets in the WAL after the backup of the preparation, in WAL order. Throws
// Error(usage) for one that is not there.
std::vector<ResolvedTarget> resolve_targets(const std::vector<RecoveryTarget>& targets,
                                            const ScenarioParts& parts,
                                            const Preparation& preparation,
                                            const CommonOptions& common,
                                            const std::stop_token& stop);

}  // namespace pgrehearse
