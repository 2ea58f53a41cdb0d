// The search for exact snapshots among several: open them, wait for the WAL around them, keep one
// that falls between two commits. What differs between a primary and a standby is in the strategy.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/postgres/transaction_snapshot.hpp"
#include "harness/primary/snapshot/snapshot_methods.hpp"

namespace pgrehearse {

// A snapshot that may be exact. Every commit before `begin` is visible to it, no commit at or after
// `end` is.
struct Candidate {
  HeldSnapshot held;
  Lsn begin;
  Lsn end;
  TransactionSnapshot snapshot;  // empty on a standby
  bool known_exact = false;      // at `begin`, without reading WAL
  std::uint64_t locks = 0;       // AccessExclusive locks held on relations at that moment
};

using Commits = std::vector<TransactionMark>;

// How candidates are taken on one kind of server. Functions throw Error.
class SnapshotStrategy {
 public:
  SnapshotStrategy() = default;
  virtual ~SnapshotStrategy() = default;
  SnapshotStrategy(const SnapshotStrategy&) = delete;
  SnapshotStrategy& operator=(const SnapshotStrategy&) = delete;

  [[nodiscard]] virtual std::string method() const = 0;
  [[nodiscard]] virtual int rounds() const = 0;
  virtual std::optional<Connection> connect(const std::string& database) = 0;
  // Called once per round, before candidates are connected.
  virtual void begin_round() = 0;
  // Takes the candidate's snapshot and fills in everything but its position.
  virtual void take(Candidate& candidate) = 0;
  // Called once per round, when all snapshots are taken. Returns what may keep the WAL up to `end`
  // out of the archive; empty: nothing.
  virtual std::string end_round(Lsn end) = 0;
  [[nodiscard]] virtual std::chrono::milliseconds poll_interval() const = 0;
  // Whether it is worth reading the archive now; called every poll interval after end_round().
  virtual bool may_be_archived() = 0;
  // Whether the server reports the round's WAL as archived, as of the last may_be_archived().
  [[nodiscard]] virtual bool reported_as_archived() const { return false; }
  // The exact position of a candidate, given the commits around it; nullopt: it has none.
  [[nodiscard]] virtual std::optional<Lsn> position_of(const Candidate& candidate,
                                                       const Commits& commits) const = 0;
  // Why the candidate is exact.
  [[nodiscard]] virtual std::string explanation(const Candidate& candidate) const = 0;
};

// Searches in each database of the request, in several rounds. Never throws for one database or for
// the archive: the attempt says why there is no snapshot. Throws Error(interrupted).
SnapshotAttempt search_snapshots(SnapshotStrategy& strategy, Timeline timeline,
                                 const SnapshotRequest& request, const std::stop_token& stop);

}  // namespace pgrehearse
