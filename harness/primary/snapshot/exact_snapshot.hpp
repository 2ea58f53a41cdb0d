// Pairs of a snapshot of the primary and the WAL position at which a recovered copy shows the same
// rows. What is read in a snapshot belongs in capture.hpp.
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
  std::string explanation;               // how it is known to be exact, or why it is not
  std::vector<std::uint64_t> in_flight;  // transactions that it saw running
  std::vector<std::string> prepared;     // names of those that were prepared
  std::string error;                     // why there is no snapshot at all
};
// As a fingerprint records them.
DatabaseFingerprint fingerprint_of(const SnapshotFacts& facts);

struct SnapshotRequest {
  std::vector<std::string> databases;
  FingerprintBudget budget;
  // For judging candidates; nullptr: there is no archive to ask.
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
  // `server` is pinned: a snapshot is of one server.
  HeldSnapshots(std::unique_ptr<Primary> server, std::vector<HeldSnapshot> held)
      : server_(std::move(server)), held_(std::move(held)) {}

  // In the order of their positions; one for each database, in `error` why there is none.
  [[nodiscard]] std::vector<SnapshotFacts> facts() const;
  // For a capture; refers to this object. What all databases share is read in the first.
  [[nodiscard]] std::vector<DatabaseSnapshot> for_capture() const;
  // A new connection in a read-only transaction on the database's snapshot. Safe from several
  // threads. Throws SqlError, also when the snapshot is gone.
  [[nodiscard]] Connection join(const std::string& database, std::stop_token stop) const;
  // Ends the transactions: the primary need not keep anything for them any more.
  void release() { held_.clear(); }

 private:
  std::unique_ptr<Primary> server_;
  std::vector<HeldSnapshot> held_;
};

// Takes the best pair that the server, the role and the archive allow, and says which; never claims
// an exact one without proof. Asks the server to end its WAL segment where the role may, so that
// the positions are soon in the archive. Throws SqlError when the primary cannot be reached.
HeldSnapshots take_snapshots(const Primary& primary, const SnapshotRequest& request,
                             const std::stop_token& stop);

}  // namespace pgrehearse
