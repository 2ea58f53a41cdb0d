// Pairs of a snapshot of the primary and the WAL position at which a recovered copy shows the same
// rows. Reading in a snapshot belongs in capture.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/primary/budget.hpp"
#include "harness/primary/fingerprint/capture.hpp"
#include "harness/primary/primary.hpp"
#include "harness/primary/snapshot/commit_order.hpp"

namespace pgrehearse {

struct SnapshotFacts {
  std::string database;
  // Recovery to `lsn` and a pause there show exactly the rows of this snapshot.
  bool exact = false;
  std::string method = "none";  // "slot", "candidates", "standby"
  Lsn lsn;
  bool exclusive = true;  // the record that begins at `lsn` is not applied
  Timeline timeline = 0;
  std::uint64_t system_identifier = 0;
  Instant taken;
  std::uint64_t candidates = 0;          // snapshots that were tried
  std::string explanation;               // the proof that it is exact, or why it is not
  std::vector<std::uint64_t> in_flight;  // transactions that were running
  std::vector<std::string> prepared;     // names of the prepared ones among them
  std::string error;                     // why there is no snapshot at all
};
// The same as a fingerprint records it.
DatabaseFingerprint fingerprint_of(const SnapshotFacts& facts);

struct SnapshotRequest {
  std::vector<std::string> databases;
  FingerprintBudget budget;
  // For evaluating candidates; nullptr: no archive is available.
  ReadCommits read_commits;
};

// A snapshot is bound to its database and lives as long as the transaction that exported it.
struct HeldSnapshot {
  SnapshotFacts facts;
  std::string name;  // for SET TRANSACTION SNAPSHOT
  std::optional<Connection> holder;
};

class HeldSnapshots {
 public:
  HeldSnapshots() = default;
  // `server` is pinned to one host: a snapshot belongs to one server.
  HeldSnapshots(std::unique_ptr<Primary> server, std::vector<HeldSnapshot> held)
      : server_(std::move(server)), held_(std::move(held)) {}

  // One per database, ordered by position; `error` says why a database has none.
  [[nodiscard]] std::vector<SnapshotFacts> facts() const;
  // For a capture; refers to this object. Shared catalogs are read in the first.
  [[nodiscard]] std::vector<DatabaseSnapshot> for_capture() const;
  // A new connection in a read-only transaction on the database's snapshot. Safe from several
  // threads. Throws SqlError, also when the snapshot is gone.
  [[nodiscard]] Connection join(const std::string& database, std::stop_token stop) const;
  // Ends the transactions, so that vacuum on the primary is no longer held back.
  void release() { held_.clear(); }

 private:
  std::unique_ptr<Primary> server_;
  std::vector<HeldSnapshot> held_;
};

// Takes the best pair that the server, the role and the archive allow. `exact` is set only with
// proof. Switches the WAL segment if the role may, so that the positions are archived soon. Throws
// SqlError when the primary cannot be reached.
HeldSnapshots take_snapshots(const Primary& primary, const SnapshotRequest& request,
                             const std::stop_token& stop);

}  // namespace pgrehearse
