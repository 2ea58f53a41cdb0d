// The methods of taking an exact pair of snapshot and WAL position; exact_snapshot.cpp selects one.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/primary/snapshot/exact_snapshot.hpp"

namespace pgrehearse {

// What decides which methods are possible.
struct SnapshotServer {
  std::string wal_level;
  bool in_recovery = false;
  bool may_replicate = false;  // the role
  Timeline timeline = 0;
  std::uint64_t system_identifier = 0;
};

// By database; a database without a snapshot has a reason.
struct SnapshotAttempt {
  std::map<std::string, HeldSnapshot> taken;
  std::map<std::string, std::string> reasons;
};

// The databases that have neither a snapshot nor a reason yet.
std::vector<std::string> without_answer(std::vector<std::string> databases,
                                        const SnapshotAttempt& attempt);

// Number of snapshots to try in each of that many databases; each snapshot holds a connection.
std::size_t candidates_per_database(std::size_t databases);

// A temporary logical replication slot: PostgreSQL exports a snapshot and returns its position.
SnapshotAttempt take_slot_snapshots(const Primary& primary, const SnapshotRequest& request,
                                    const std::stop_token& stop);

// Several snapshots, some milliseconds apart, evaluated by the order of commits in the archived
// WAL.
SnapshotAttempt take_candidate_snapshots(const Primary& primary, const SnapshotServer& server,
                                         const SnapshotRequest& request,
                                         const std::stop_token& stop);

// Several snapshots of a server in recovery, whose state is always a prefix of the WAL; one between
// two commits is kept. Writes nothing: the position is archived when the primary's own activity or
// archive_timeout ends the segment.
SnapshotAttempt take_standby_snapshots(const Primary& primary, const SnapshotServer& server,
                                       const SnapshotRequest& request, const std::stop_token& stop);

// Creates a restore point and switches WAL if the role may do so in one of the databases. Returns
// why it could not; empty when the segment was ended.
std::string end_wal_segment(const Primary& primary, const std::vector<std::string>& databases,
                            const std::stop_token& stop);

// A connection that may hold a snapshot for budget.max_snapshot_age; the server ends it then.
Connection connect_holder(const Primary& primary, const std::string& database,
                          const FingerprintBudget& budget, const std::stop_token& stop);

// Number of the database's relations with an AccessExclusive lock. A copy paused at this position
// holds the same locks, so these relations cannot be read there.
std::uint64_t count_exclusive_locks(Connection& connection);

// Names of the prepared transactions among `running`.
std::vector<std::string> prepared_among(Connection& connection,
                                        const std::vector<std::uint64_t>& running);

}  // namespace pgrehearse
