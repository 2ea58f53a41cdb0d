// Takes a fingerprint of the primary on given snapshots.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/primary/budget.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

// One database's snapshot; its holder keeps it open until the capture ends.
struct DatabaseSnapshot {
  DatabaseFingerprint facts;
  // A new connection in a read-only transaction on the snapshot. Called from several threads.
  std::function<Connection(std::stop_token stop)> join;
};

struct FingerprintRules {
  // Which databases to read; nullptr: all.
  std::function<bool(std::string_view database)> database;
  // How much of a relation to read; nullptr: all of it.
  std::function<Coverage(std::string_view database, std::string_view relation, std::int64_t pages)>
      relation;
  Sample sample;
  FingerprintBudget budget;
};

// Reports "database shop: 120 of 4,000 relations".
using FingerprintProgress =
    std::function<void(std::string_view database, std::uint64_t done, std::uint64_t total)>;

struct CaptureSummary {
  std::vector<DatabaseFingerprint> databases;
  std::uint64_t relations = 0;
  std::uint64_t compared = 0;  // full, sampled or counted
  std::uint64_t rows = 0;
  // By cause: unlogged, excluded, permission, ...
  std::map<std::string, std::uint64_t> left_out;
  // Number of databases, kinds of catalog entries, sequences, relations and columns that should
  // have been read and were not.
  std::uint64_t gaps = 0;
  std::string budget_over;  // the limit that ended it; empty: none
};

class FingerprintCapture {
 public:
  // Takes the snapshots of these databases on this one server; called once, between two readings of
  // the sequences.
  using TakeSnapshots = std::function<std::vector<DatabaseSnapshot>(
      const Primary& server, const std::vector<std::string>& databases, std::stop_token stop)>;

  // `primary` outlives this object.
  FingerprintCapture(const Primary& primary, FingerprintRules rules, TakeSnapshots take)
      : primary_(primary), rules_(std::move(rules)), take_(std::move(take)) {}

  // A database or relation that cannot be read is written with its reason. Throws
  // SqlError(environment) when the primary cannot be reached, Error(environment) when `out` cannot
  // be written, Error(interrupted).
  CaptureSummary run(std::ostream& out, const FingerprintProgress& on_progress,
                     const std::stop_token& stop) const;

 private:
  const Primary& primary_;
  FingerprintRules rules_;
  TakeSnapshots take_;
};

}  // namespace pgrehearse
