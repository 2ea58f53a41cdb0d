// Replays WAL from a restored PGDATA until the instance is paused at the recovery target, or at the
// end of the archive for `latest`; read-only, and promoted only where it cannot be paused.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/drill/recovery/wal_supply.hpp"
#include "harness/postgres/control_data.hpp"
#include "harness/postgres/quarantine.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/instance.hpp"

namespace pgrehearse {

// How long recover() waits for what normally takes milliseconds.
struct RecoveryTimeouts {
  // Between the last WAL request and the log line that reports consistency.
  std::chrono::milliseconds consistency_line{std::chrono::seconds(3)};
  // Between the pause at the recovery target and the log line that says where replay stopped.
  std::chrono::milliseconds stop_line{std::chrono::seconds(5)};
  // Between a lost connection and the end of the server.
  std::chrono::milliseconds server_end{std::chrono::seconds(10)};
  // Between the end of the archive and the first connection. Without one, a hot standby has no
  // snapshot: a transaction with more than 64 subtransactions is running.
  std::chrono::milliseconds snapshot{std::chrono::seconds(10)};
  // Without a replayed record or a WAL request.
  std::chrono::milliseconds progress{std::chrono::minutes(30)};
};

struct RecoveryInput {
  Sandbox& sandbox;
  Instance& instance;
  BackupRepository& repository;
  const Backup& backup;
  const RecoveryTarget& target;
  ControlData control;              // of the restored PGDATA
  std::optional<Lsn> expected_end;  // only for progress
  std::function<void(std::optional<double>, std::string_view)> on_progress;
  std::chrono::milliseconds deadline{std::chrono::hours(24)};
  // The instance is already paused there.
  std::optional<Lsn> resume_from = {};
  // The restore configured standby mode: the instance waits at the end of the archive and can
  // replay on from there. Otherwise it must be restarted to continue.
  bool standby = false;
  // Standby mode and `latest` only: replay gets no WAL from this position on, so that it waits
  // there. Given up when the WAL before it has not come within `wal_timeout`.
  std::optional<Lsn> until = {};
  const FetchedWal* fetched = nullptr;
  std::chrono::milliseconds wal_timeout{std::chrono::minutes(2)};
  RecoveryTimeouts timeouts = {};
};

struct RecoveryOutcome {
  ControlData control;                      // after replay: its minimum settings may have grown
  Lsn replayed;                             // end of the last replayed record
  std::optional<Instant> last_transaction;  // pg_last_xact_replay_timestamp()
  std::vector<WalRequest> requests;
  std::optional<ReplayEnd> end;  // `latest` only: why replay could not go on
  std::string stopped_at;        // the line of PostgreSQL's log that says where it stopped, if any
  // Of this recovery alone: without the replay up to `resume_from` and without waiting for WAL.
  Seconds took{0};
  std::optional<std::string> gave_up;  // why the instance is not at `until`
  // The instance is promoted, not paused: it could not accept connections during recovery.
  std::string promoted_because;
};

// The configuration of the instance for a recovery to `target`. Its restore_command is the script
// `archive-get` in the sandbox's directory of generated files.
Quarantine recovery_quarantine(const Sandbox& sandbox, const RecoveryTarget& target,
                               const ControlData& control);

// Writes the restore_command wrapper and the quarantine, sets the restored ALTER SYSTEM settings
// aside (<configuration>/restored.auto.conf), starts the instance and waits for the landing. Starts
// again with higher settings where production raised them in mid-WAL.
// Throws Error(recovery, startup, repository or environment), by the cause of the failure.
RecoveryOutcome recover(const RecoveryInput& input, std::stop_token stop);

}  // namespace pgrehearse
