// The production server. It is only ever read: every session is read-only, waits at most two
// seconds for a lock, and has a limit for each statement and for idling in a transaction. Which
// server that is gets decided anew for each connection, so a failover in mid-drill is followed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/postgres/lsn.hpp"
#include "harness/primary/primary_spec.hpp"
#include "harness/primary/route.hpp"

namespace pgrehearse {

struct PrimaryIdentity {
  std::uint64_t system_identifier = 0;
  int server_version = 0;  // 150004
  Timeline timeline = 0;   // that it writes, or receives and replays
  bool in_recovery = false;
  std::string member;  // the server that answered: "n2 (10.0.0.2:5432)"
  std::string reason;  // why that one: "the leader of Patroni's cluster 'orders'"
};

// Whether a statement failed because the server went away, so that a new connection may succeed,
// perhaps with a new primary: the connection is lost, or the server was shut down.
bool is_server_gone(const SqlError& error);

class Patroni;

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
  explicit Primary(const PrimarySpec& spec, PrimaryLimits limits = {});
  // `patroni` may be nullptr: for tests, which bring their own.
  Primary(const PrimarySpec& spec, std::unique_ptr<Patroni> patroni, PrimaryLimits limits = {});
  Primary(Primary&&) noexcept;
  Primary& operator=(Primary&&) noexcept;
  ~Primary();

  // All throw SqlError(environment): an unreachable primary says nothing about the backup. Its code
  // is PGR-PRIMARY-UNREACHABLE or a more exact PGR-PRIMARY-...; a failed statement has none.
  [[nodiscard]] PrimaryIdentity identity(std::stop_token stop) const;
  // Commit time of the newest transaction, where the server tracks it (track_commit_timestamp);
  // otherwise nullopt.
  [[nodiscard]] std::optional<Instant> newest_commit(std::stop_token stop) const;
  // Those that allow connections, by name.
  [[nodiscard]] std::vector<std::string> databases(std::stop_token stop) const;
  // `database` empty: the one that the DSN names. Finds the server anew, and waits a while for one
  // where a failover seems to be under way.
  [[nodiscard]] Connection connect(const std::string& database, std::stop_token stop) const;
  // Speaks the replication protocol too (CREATE_REPLICATION_SLOT), and no parameters.
  [[nodiscard]] Connection connect_for_replication(const std::string& database,
                                                   std::stop_token stop) const;
  // The one server that is found now, which is neither waited for nor followed: what belongs to a
  // server, as a snapshot does, is of no use on another. Behind a load balancer or an address that
  // moves it is what that leads to.
  [[nodiscard]] Primary pinned(std::stop_token stop) const;
  // Without password.
  [[nodiscard]] std::string description() const;

 private:
  struct Reached {
    Connection connection;
    Route route;
  };
  struct Wanted {
    std::string database;
    bool replication = false;
  };
  [[nodiscard]] Reached reach(const Wanted& wanted, const std::stop_token& stop) const;
  [[nodiscard]] Reached reach_once(const Wanted& wanted, const std::stop_token& stop) const;
  [[nodiscard]] Connection open(const Route& route, const Wanted& wanted,
                                const std::stop_token& stop) const;
  // What `question` answers; asked again on another server where this one goes away in mid-answer.
  template <typename Question>
  auto ask(const Question& question, const std::stop_token& stop) const;
  [[nodiscard]] std::vector<Route> routes(const std::stop_token& stop) const;

  PrimarySpec spec_;
  ConnectionParameters parameters_;
  std::unique_ptr<Patroni> patroni_;  // nullptr: the DSN names the hosts
  std::optional<Route> pinned_;
  std::chrono::milliseconds failover_timeout_{0};
  PrimaryLimits limits_;
};

}  // namespace pgrehearse
