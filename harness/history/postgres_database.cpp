#include "harness/history/postgres_database.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view schema_name = "pgrehearse";
constexpr std::string_view writer_lock = "write to the ledger";

Connection::Options connection_options() {
  return {.connect_timeout = std::chrono::seconds(20), .query_timeout = std::chrono::minutes(2)};
}

// The key of an advisory lock. The prefix keeps it apart from other users of the database.
std::int64_t key_of(std::string_view name) {
  return static_cast<std::int64_t>(lock_key(fmt::format("{} {}", schema_name, name)));
}

class AdvisoryLock final : public LedgerLock {
 public:
  explicit AdvisoryLock(Connection connection) : connection_(std::move(connection)) {}
  AdvisoryLock(const AdvisoryLock&) = delete;
  AdvisoryLock& operator=(const AdvisoryLock&) = delete;
  // The server would release the lock only when it notices the end of the connection.
  ~AdvisoryLock() override {
    try {
      connection_.query("select pg_advisory_unlock_all()");
    } catch (const std::exception& error) {
      spdlog::debug("ledger: {}", error.what());
    }
  }

 private:
  Connection connection_;
};

bool connection_lost(const SqlError& error) {
  const auto& state = error.sqlstate();
  return state.empty() || state.starts_with("08") || state.starts_with("57P");
}

}  // namespace

PostgresDatabase::PostgresDatabase(ConnectionParameters parameters, std::stop_token stop)
    : parameters_(std::move(parameters)), stop_(std::move(stop)) {
  try {
    connection_.emplace(connect());
    const auto exists = fmt::format("select 1 from pg_namespace where nspname = '{}'", schema_name);
    // CREATE SCHEMA needs a right on the database even if the schema exists.
    if (connection_->query(exists).rows.empty()) {
      // Two sessions that create it at the same time would collide.
      write([&] { query(fmt::format("create schema if not exists {}", schema_name)); });
    }
  } catch (const Error& error) {
    refuse(error);
  }
}

Connection PostgresDatabase::connect() const {
  auto connection = Connection::open(parameters_, connection_options(), stop_);
  connection.query(fmt::format("set search_path = {}", schema_name));
  connection.query("set application_name = 'pgrehearse ledger'");
  if (connection.server_version() >= 140000) connection.query("set idle_session_timeout = 0");
  return connection;
}

void PostgresDatabase::refuse(const Error& error) const {
  if (error.kind() == ErrorKind::interrupted) throw error;
  throw Error(ErrorKind::environment,
              fmt::format("cannot use the ledger {}: {}", description(), error.what()),
              fmt::format("the account must be able to connect and to create the schema {}, or to "
                          "use its tables; a password belongs into ~/.pgpass",
                          schema_name));
}

Rows PostgresDatabase::run(const std::string& statement, std::span<const Field> parameters) {
  try {
    if (connection_) return connection_->query(statement, parameters);
  } catch (const SqlError& error) {
    if (in_transaction_ || !connection_lost(error)) throw;
  }
  connection_.reset();
  connection_.emplace(connect());
  return connection_->query(statement, parameters);
}

Rows PostgresDatabase::query(const std::string& sql, std::span<const Field> parameters) {
  try {
    return run(sql, parameters);
  } catch (const Error& error) {
    refuse(error);
  }
}

void PostgresDatabase::transaction(const std::string& begin, const std::function<void()>& body) {
  query(begin);
  in_transaction_ = true;
  try {
    body();
    query("commit");
    in_transaction_ = false;
  } catch (...) {
    // The server rolls back what a closed connection had begun.
    connection_.reset();
    in_transaction_ = false;
    throw;
  }
}

void PostgresDatabase::write(const std::function<void()>& body) {
  transaction("begin isolation level read committed", [&] {
    query(fmt::format("select pg_advisory_xact_lock({})", key_of(writer_lock)));
    body();
  });
}

void PostgresDatabase::read(const std::function<void()>& body) {
  transaction("begin isolation level repeatable read, read only", body);
}

std::unique_ptr<LedgerLock> PostgresDatabase::try_lock(const std::string& name) {
  try {
    auto connection = connect();
    // A host that loses power releases its locks after about a minute, not after two hours.
    for (const auto* setting :
         {"tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3"}) {
      connection.query(fmt::format("set {}", setting));
    }
    const auto taken =
        connection.query(fmt::format("select pg_try_advisory_lock({})", key_of(name)));
    if (taken.text(0, 0) != "t") return nullptr;
    return std::make_unique<AdvisoryLock>(std::move(connection));
  } catch (const Error& error) {
    refuse(error);
  }
}

bool PostgresDatabase::is_locked(const std::string& name) {
  const auto key = static_cast<std::uint64_t>(key_of(name));
  const auto found = query(
      fmt::format("select 1 from pg_locks where locktype = 'advisory' and granted and objsubid = 1 "
                  "and classid::bigint = {} and objid::bigint = {} "
                  "and database = (select oid from pg_database where datname = current_database())",
                  key >> 32U, key & 0xFFFFFFFFU));
  return !found.rows.empty();
}

}  // namespace pgrehearse
