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
#include "harness/drill/recovery/wal_supply.hpp"
#include "harness/locate/archive_scan.hpp"
#include "harness/locate/target_resolver.hpp"

namespace pgrehearse {

struct ArchiveSearch {
  std::vector<std::string> managers;  // resource managers; empty: all
  WalChunkReader::Watch watch = {};
  Lsn begin;
  FetchedWal* fetched = nullptr;  // gets what the scan leaves
};
// Reads in a sandbox of its own, with progress on standard error. Throws Error.
ScanOutcome search_archive(const ScenarioParts& parts, const Preparation& preparation,
                           const ArchiveSearch& search, const std::function<bool(WalChunk)>& take,
                           const CommonOptions& common, const std::stop_token& stop);

// In WAL order.
struct ResolvedTargets {
  std::vector<ResolvedTarget> targets;
  FetchedWal fetched;  // by the search; destroyed before `parts`
};
// The positions of the targets in the WAL after the backup of the preparation. Throws Error(usage)
// for one that is not there.
ResolvedTargets resolve_targets(const std::vector<RecoveryTarget>& targets,
                                const ScenarioParts& parts, const Preparation& preparation,
                                const CommonOptions& common, const std::stop_token& stop);

}  // namespace pgrehearse
