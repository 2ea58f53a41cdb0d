// The ways to an exact pair of snapshot and WAL position; exact_snapshot.cpp chooses among them.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/primary/snapshot/exact_snapshot.hpp"

namespace pgrehearse {

// What decides which way is open.
struct SnapshotServer {
  std::string wal_level;
  bool in_recovery = false;
  bool may_replicate = false;  // the role
  Timeline timeline = 0;
  std::uint64_t system_identifier = 0;
};

// By database; those that are missing have a reason.
struct SnapshotAttempt {
  std::map<std::string, HeldSnapshot> taken;
  std::map<std::string, std::string> reasons;
};

// Those that the attempt has neither taken nor given up.
std::vector<std::string> without_answer(std::vector<std::string> databases,
                                        const SnapshotAttempt& attempt);

// Snapshots to try of each of that many databases, each of which holds a connection.
std::size_t candidates_each(std::size_t databases);

// A temporary logical replication slot: PostgreSQL exports a snapshot and tells its position.
SnapshotAttempt take_slot_snapshots(const Primary& primary, const SnapshotRequest& request,
                                    const std::stop_token& stop);

// Several snapshots, some milliseconds apart, judged by the order of commits in the archived WAL.
SnapshotAttempt take_candidate_snapshots(const Primary& primary, const SnapshotServer& server,
                                         const SnapshotRequest& request,
                                         const std::stop_token& stop);

// On a server in recovery its state is a prefix of the WAL at any time: several snapshots, of which
// one between two commits is kept. Writes nothing, so that the position comes to the archive when
// the primary's own work or archive_timeout ends the segment.
SnapshotAttempt take_standby_snapshots(const Primary& primary, const SnapshotServer& server,
                                       const SnapshotRequest& request, const std::stop_token& stop);

// Restore point and WAL switch, where the role may in one of the databases. Returns why not; empty
// when the segment was ended.
std::string end_wal_segment(const Primary& primary, const std::vector<std::string>& databases,
                            const std::stop_token& stop);

// A connection that may hold a snapshot as long as the budget says, the server itself ending it
// then.
Connection connect_holder(const Primary& primary, const std::string& database,
                          const FingerprintBudget& budget, const std::stop_token& stop);

// Relations of the database that somebody has locked against all access: a copy that pauses there
// holds these locks too, and cannot be read.
std::uint64_t count_exclusive_locks(Connection& connection);

// Names of prepared transactions among those that a snapshot saw running.
std::vector<std::string> prepared_among(Connection& connection,
                                        const std::vector<std::uint64_t>& running);

}  // namespace pgrehearse
