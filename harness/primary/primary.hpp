// The production server. It is only ever read: every session is read-only, waits at most two
// seconds for a lock, and has a limit for each statement and for idling in a transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/connection.hpp"

namespace pgrehearse {

struct PrimaryIdentity {
  std::uint64_t system_identifier = 0;
  int server_version = 0;  // 150004
  bool in_recovery = false;
};

// How long one statement of ours may use the primary.
struct PrimaryLimits {
  std::chrono::milliseconds statement{std::chrono::minutes(30)};
  std::chrono::milliseconds lock{std::chrono::seconds(2)};
  std::chrono::milliseconds idle_in_transaction{std::chrono::minutes(1)};
};

// Safe to use from several threads: each call has its own connection.
class Primary {
 public:
  // Does not connect yet. `dsn` may name several hosts (libpq's multi-host form) and may hold a
  // password. Throws Error(usage) when it is not a DSN.
  explicit Primary(const std::string& dsn, PrimaryLimits limits = {});

  // All throw SqlError(environment): an unreachable primary says nothing about the backup.
  [[nodiscard]] PrimaryIdentity identity(std::stop_token stop) const;
  // Commit time of the newest transaction, where the server tracks it (track_commit_timestamp);
  // otherwise nullopt.
  [[nodiscard]] std::optional<Instant> newest_commit(std::stop_token stop) const;
  // Those that allow connections, by name.
  [[nodiscard]] std::vector<std::string> databases(std::stop_token stop) const;
  // `database` empty: the one that the DSN names.
  [[nodiscard]] Connection connect(const std::string& database, std::stop_token stop) const;
  // Without password.
  [[nodiscard]] std::string description() const;

 private:
  ConnectionParameters parameters_;
  PrimaryLimits limits_;
};

}  // namespace pgrehearse
