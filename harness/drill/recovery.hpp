// Replay: from a restored PGDATA to an instance that is paused at the recovery target, or at the
// end of the archive for `latest`, read-only and not promoted.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/postgres/control_data.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/instance.hpp"

namespace pgrehearse {

// One call of restore_command, as its wrapper recorded it.
struct WalRequest {
  std::string file;
  int exit_code = 0;  // the backup tool's: 0 fetched, 1 not in the archive, else an error
};
std::vector<WalRequest> parse_wal_requests(std::string_view text);

// The segment that replay cannot pass: asked for twice, not there, and nothing was fetched in
// between; or fetched over and over. nullopt while replay goes on.
std::optional<std::string> missing_at_end(const std::vector<WalRequest>& requests);

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
  // The instance stands there already, on its way to this target: it is started again.
  std::optional<Lsn> resume_from = {};
  // The restore left it in standby mode: at the end of the archive it waits. A target is then given
  // up when its WAL has not come within `patience`.
  bool standby = false;
  std::chrono::milliseconds patience{std::chrono::minutes(2)};
};

struct RecoveryOutcome {
  ControlData control;                      // after replay: its minimum settings may have grown
  Lsn replayed;                             // end of the last replayed record
  std::optional<Instant> last_transaction;  // pg_last_xact_replay_timestamp()
  std::vector<WalRequest> requests;
  std::string stopped_at;  // PostgreSQL's own line that says where it stopped, if it wrote one
  // Of this recovery alone: without the way to `resume_from`, and without waiting for WAL.
  Seconds took{0};
  std::optional<std::string> missing;  // the segment that the target needed and that did not come
};

// Writes the restore_command wrapper and the quarantine, sets the restored ALTER SYSTEM settings
// aside (<configuration>/restored.auto.conf), starts the instance and waits for the landing. Starts
// again with higher settings where production raised them in mid-WAL.
// Throws Error(recovery, startup, repository or environment) that names what is to blame.
RecoveryOutcome recover(const RecoveryInput& input, std::stop_token stop);

// The shell script that PostgreSQL runs as restore_command. An exit code above 1 becomes 126, which
// makes PostgreSQL stop instead of taking a failing repository for the end of the archive. Nothing
// is found once the file `closed` exists.
std::string archive_get_wrapper(const std::vector<std::string>& archive_get,
                                const std::filesystem::path& requests,
                                const std::filesystem::path& closed);

}  // namespace pgrehearse
