// The production server. It is only read: every session is read-only, waits at most two seconds for
// a lock, and has a statement timeout and an idle-in-transaction timeout. The server is looked up
// for each connection, so a failover during a drill is followed.
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
  Timeline timeline = 0;   // written by a primary, replayed by a standby
  bool in_recovery = false;
  std::string member;  // the server: "n2 (10.0.0.2:5432)"
  std::string reason;  // why this one: "the leader of Patroni cluster 'orders'"
};

// Whether a statement failed because the connection was lost or the server was shut down, so that a
// new connection, perhaps to a new primary, may succeed.
bool is_server_gone(const SqlError& error);

class Patroni;

// Timeouts for pgrehearse's sessions on the primary.
struct PrimaryLimits {
  std::chrono::milliseconds statement{std::chrono::minutes(30)};
  std::chrono::milliseconds lock{std::chrono::seconds(2)};
  std::chrono::milliseconds idle_in_transaction{std::chrono::minutes(1)};
};

// Safe to use from several threads: each call has its own connection.
class Primary {
 public:
  // Does not connect yet. `dsn` may name several hosts (libpq's multi-host form) and may contain a
  // password. Throws Error(usage) when it is invalid.
  explicit Primary(const std::string& dsn, PrimaryLimits limits = {});
  explicit Primary(const PrimarySpec& spec, PrimaryLimits limits = {});
  // For tests; `patroni` may be nullptr.
  Primary(const PrimarySpec& spec, std::unique_ptr<Patroni> patroni, PrimaryLimits limits = {});
  Primary(Primary&&) noexcept;
  Primary& operator=(Primary&&) noexcept;
  ~Primary();

  // All throw SqlError(environment), with code primary_unreachable or a more specific
  // primary_... code when no server is reachable, and without a code when a statement failed.
  [[nodiscard]] PrimaryIdentity identity(std::stop_token stop) const;
  // Commit time of the newest transaction; nullopt without track_commit_timestamp.
  [[nodiscard]] std::optional<Instant> newest_commit(std::stop_token stop) const;
  // Databases that allow connections, by name.
  [[nodiscard]] std::vector<std::string> databases(std::stop_token stop) const;
  // `database` empty: that of the DSN. Looks the server up, and waits up to the failover timeout if
  // a failover seems to be in progress.
  [[nodiscard]] Connection connect(const std::string& database, std::stop_token stop) const;
  // A replication connection (CREATE_REPLICATION_SLOT); does not support parameters.
  [[nodiscard]] Connection connect_for_replication(const std::string& database,
                                                   std::stop_token stop) const;
  // A connection for physical replication, as a standby's: IDENTIFY_SYSTEM, START_REPLICATION. Its
  // role is not checked, since it does not run SQL.
  [[nodiscard]] Connection connect_for_streaming(const std::string& application_name,
                                                 std::stop_token stop) const;
  // The server found now, without failover: a snapshot is valid only on its own server. With a load
  // balancer or a virtual address, connections may still reach another server.
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
    std::string streaming_as = {};  // application_name of physical replication; empty: SQL
  };
  [[nodiscard]] Reached reach(const Wanted& wanted, const std::stop_token& stop) const;
  [[nodiscard]] Reached reach_once(const Wanted& wanted, const std::stop_token& stop) const;
  [[nodiscard]] Connection open(const Route& route, const Wanted& wanted,
                                const std::stop_token& stop) const;
  // Runs `question`; runs it again on another server if the connection is lost.
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
