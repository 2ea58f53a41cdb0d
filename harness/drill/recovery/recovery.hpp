// Replay: from a restored PGDATA to an instance that is paused at the recovery target, or at the
// end of the archive for `latest`, read-only and not promoted.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/drill/recovery/wal_supply.hpp"
#include "harness/postgres/control_data.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/instance.hpp"

namespace pgrehearse {

struct RecoveryInput {
  Sandbox& sandbox;
  Instance& instance;
  BackupRepository& repository;
  const Backup& backup;
  const RecoveryTarget& target;
  ControlData control;              // of the restored PGDATA
  std::optional<Lsn> expected_end;  // for progress and for nothing else
  std::function<void(std::optional<double>, std::string_view)> on_progress;
  std::chrono::milliseconds deadline{std::chrono::hours(24)};
  // The instance stands there already, on its way.
  std::optional<Lsn> resume_from = {};
  // The restore left it in standby mode: at the end of the archive it waits. Otherwise it can only
  // be started again to go on.
  bool standby = false;
  // Standby mode and `latest` only: replay gets no WAL from this position on, so that it comes to
  // stand there. Given up when the WAL before it has not come within `wal_timeout`.
  std::optional<Lsn> until = {};
  std::chrono::milliseconds wal_timeout{std::chrono::minutes(2)};
};

struct RecoveryOutcome {
  ControlData control;                      // after replay: its minimum settings may have grown
  Lsn replayed;                             // end of the last replayed record
  std::optional<Instant> last_transaction;  // pg_last_xact_replay_timestamp()
  std::vector<WalRequest> requests;
  std::string stopped_at;  // PostgreSQL's own line that says where it stopped, if it wrote one
  // Of this recovery alone: without the way to `resume_from`, and without waiting for WAL.
  Seconds took{0};
  std::optional<std::string> gave_up;  // why it does not stand at `until`
};

// Writes the restore_command wrapper and the quarantine, sets the restored ALTER SYSTEM settings
// aside (<configuration>/restored.auto.conf), starts the instance and waits for the landing. Starts
// again with higher settings where production raised them in mid-WAL.
// Throws Error(recovery, startup, repository or environment) that names what is to blame.
RecoveryOutcome recover(const RecoveryInput& input, std::stop_token stop);

}  // namespace pgrehearse
