// Continues the replay of a kept copy to a later target, without another restore.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include "harness/report/report.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct AdvanceRequest {
  // All outlive the call. The copy is kept, and its server runs in recovery.
  Sandbox& sandbox;
  BackupRepository& repository;
  const Backup& backup;
  const RecoveryTarget& target;
  const WalLineage& lineage;
  std::filesystem::path log;  // receives the server's log during replay
  std::function<void(std::optional<double>, std::string_view)> on_progress = {};
};

// Stops the server, replays to the target, proves the landing and leaves the server running there.
// Throws Error(usage) if the copy is promoted or already past the target. If replay fails, the
// server is not running afterwards.
Landing advance_copy(const AdvanceRequest& request, const std::stop_token& stop);

// Fast shutdown of a server that runs on its own. Throws Error(startup).
void stop_server(Sandbox& sandbox, const std::stop_token& stop);

}  // namespace pgrehearse
