// The production server, only ever read, in READ ONLY transactions and with a lock timeout.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

struct TableCount {
  std::optional<std::int64_t> rows;
  std::string error;  // why it was not counted (lock not available, permission denied, ...)
};

// database -> "schema.relation" (quoted where needed) -> count
using RowCounts = std::map<std::string, std::map<std::string, TableCount>>;

struct PrimaryIdentity {
  std::uint64_t system_identifier = 0;
  int server_version = 0;
  bool in_recovery = false;
};

class Primary {
 public:
  // Does not connect yet. `dsn` may name several hosts (libpq's multi-host form).
  explicit Primary(std::string dsn);

  // All throw SqlError(environment): an unreachable primary says nothing about the backup.
  PrimaryIdentity identity(std::stop_token stop);
  // Commit time of the newest transaction, where the server tracks it (track_commit_timestamp);
  // otherwise nullopt.
  std::optional<Instant> newest_commit(std::stop_token stop);
  std::vector<std::string> databases(std::stop_token stop);
  Connection connect(const std::string& database, std::stop_token stop);
  // Without password.
  [[nodiscard]] std::string description() const;

 private:
  ConnectionParameters parameters_;
};

// Counts every ordinary table, partition leaf and materialized view of one database, one statement
// each in pipeline batches inside one REPEATABLE READ READ ONLY transaction per batch; system
// schemas left out. Used for both sides of a comparison.
std::map<std::string, TableCount> count_rows(
    Connection& connection, const std::function<void(std::uint64_t, std::uint64_t)>& on_progress);

}  // namespace pgrehearse
