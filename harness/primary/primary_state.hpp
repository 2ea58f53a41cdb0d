// What a server had committed at one moment, and its clock.
#pragma once

#include <optional>
#include <stop_token>

#include "harness/common/units.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/postgres/transaction_snapshot.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

// A larger difference between two clocks is reported. Hosts with a time service differ by
// milliseconds.
inline constexpr Seconds clock_tolerance{5};

struct PrimaryState {
  Instant read_at;         // by this host's clock
  Seconds clock_ahead{0};  // the server's clock minus this host's
  bool in_recovery = false;
  // A standby that was streaming and had replayed all WAL that its primary had sent.
  bool caught_up = false;
  TransactionSnapshot snapshot;
  std::optional<Instant> newest_commit;  // nullopt without track_commit_timestamp
};

// Throws SqlError(environment).
PrimaryState read_primary_state(const Primary& primary, std::stop_token stop);

// Whether every transaction that had committed on `server` in `state` is committed in `copy`, a
// cluster of the same history. nullopt: too many transactions, or a server before PostgreSQL 10.
// Throws SqlError.
std::optional<bool> has_all_commits(Connection& copy, Connection& server,
                                    const PrimaryState& state);

}  // namespace pgrehearse
