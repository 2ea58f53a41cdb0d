#include "harness/primary/primary.hpp"

#include <fmt/format.h>

#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/http/curl_http_client.hpp"
#include "harness/primary/patroni.hpp"

namespace pgrehearse {

namespace {

constexpr std::chrono::milliseconds poll_interval{500};

// row_security=off turns silently filtered rows into an error: a policy must not look like data
// loss.
std::string session_options(const PrimaryLimits& limits) {
  return fmt::format(
      "-c default_transaction_read_only=on -c lock_timeout={} -c statement_timeout={} "
      "-c idle_in_transaction_session_timeout={} -c row_security=off",
      limits.lock.count(), limits.statement.count(), limits.idle_in_transaction.count());
}

// After a promotion pg_control has the old timeline until the next checkpoint. A primary's timeline
// is taken from its current WAL file, a standby's from the WAL receiver or the last restart point.
constexpr const char* identity_sql = R"(
select system_identifier, pg_is_in_recovery(),
       case when pg_is_in_recovery()
         then greatest((select timeline_id from pg_catalog.pg_control_checkpoint()),
                       (select min_recovery_end_timeline from pg_catalog.pg_control_recovery()),
                       (select max(received_tli) from pg_catalog.pg_stat_wal_receiver))
         else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
       end
from pg_catalog.pg_control_system())";

// TCP must detect a host that fails without closing the connection.
void watch_connection(ConnectionParameters& parameters) {
  parameters.try_emplace("keepalives_idle", "10");
  parameters.try_emplace("keepalives_interval", "5");
  parameters.try_emplace("keepalives_count", "3");
  parameters.try_emplace("tcp_user_timeout", "30000");
}

std::unique_ptr<Patroni> patroni_of(const PrimarySpec& spec) {
  if (!spec.patroni) return nullptr;
  return std::make_unique<Patroni>(
      *spec.patroni, std::make_unique<CurlHttpClient>(
                         CurlHttpClient::Options{.credentials = spec.patroni->credentials}));
}

// The server is up and rejected the connection: waiting does not help.
bool is_refusal(const std::string& message) {
  return message.find("FATAL:") != std::string::npos &&
         message.find("the database system is") == std::string::npos;
}

bool is_temporary(const Error& error) {
  return error.code() == FindingCode::primary_no_leader ||
         error.code() == FindingCode::primary_role ||
         (error.code() == FindingCode::primary_unreachable && !is_refusal(error.what()));
}

Error wrong_role(const Route& route, bool in_recovery) {
  return {ErrorKind::environment,
          fmt::format("{} should be {}, but it is a {}", route.member, route.reason,
                      in_recovery ? "standby (in recovery)" : "primary (not in recovery)"),
          route.api_url.empty()
              ? "the load balancer or DNS points to the wrong server, or a failover is in "
                "progress"
              : "a failover is in progress, or Patroni is not managing this server: check with "
                "`patronictl list`",
          FindingCode::primary_role, route.member};
}

// A session that waits for the archive is idle longer than the cluster may allow. The setting does
// not exist before PostgreSQL 14, so it cannot be sent in the startup packet.
void allow_idle_session(Connection& connection) {
  constexpr int first_version_with_setting = 140000;
  if (connection.server_version() < first_version_with_setting) return;
  connection.query("set idle_session_timeout = 0");
}

void expect_role(Connection& connection, const Route& route) {
  if (route.role == ExpectedRole::any) return;
  const bool in_recovery =
      connection.query("select pg_catalog.pg_is_in_recovery()").text(0, 0) == "t";
  if (in_recovery == (route.role == ExpectedRole::standby)) return;
  throw SqlError(wrong_role(route, in_recovery), "");
}

}  // namespace

bool is_server_gone(const SqlError& error) {
  const auto& state = error.sqlstate();
  return state.empty() || state == "57P01" || state == "57P02" || state == "57P03" ||
         state.starts_with("08");
}

Primary::Primary(const std::string& dsn, PrimaryLimits limits)
    : Primary(PrimarySpec{.dsn = dsn}, limits) {}

Primary::Primary(const PrimarySpec& spec, PrimaryLimits limits)
    : Primary(spec, patroni_of(spec), limits) {}

Primary::Primary(const PrimarySpec& spec, std::unique_ptr<Patroni> patroni, PrimaryLimits limits)
    : spec_(spec), parameters_(parse_dsn(spec.dsn)), patroni_(std::move(patroni)), limits_(limits) {
  if (patroni_) {
    failover_timeout_ = spec_.failover_timeout.value_or(std::chrono::minutes(1));
    return;
  }
  // Also with one host: a load balancer or a virtual address may have several servers.
  const bool follows = routes_of(parameters_, spec_.prefer).back().role == ExpectedRole::primary;
  failover_timeout_ =
      spec_.failover_timeout.value_or(follows ? std::chrono::minutes(1) : std::chrono::minutes(0));
}

Primary::Primary(Primary&&) noexcept = default;
Primary& Primary::operator=(Primary&&) noexcept = default;
Primary::~Primary() = default;

Connection Primary::open(const Route& route, const Wanted& wanted,
                         const std::stop_token& stop) const {
  auto parameters = route.parameters;
  if (!wanted.database.empty()) parameters["dbname"] = wanted.database;
  if (wanted.replication) parameters["replication"] = "database";
  const bool streams = !wanted.streaming_as.empty();
  if (streams) parameters["replication"] = "true";
  parameters["application_name"] = streams ? wanted.streaming_as : "pgrehearse";
  auto& options = parameters["options"];
  options += (options.empty() ? "" : " ") + session_options(limits_);
  watch_connection(parameters);
  // The server's own timeout applies first; this one is for a server that no longer responds.
  const Connection::Options ours{.query_timeout = limits_.statement + std::chrono::minutes(1),
                                 .failure_kind = ErrorKind::environment};
  auto connection = Connection::open(std::move(parameters), ours, stop);
  if (streams) return connection;
  allow_idle_session(connection);
  expect_role(connection, route);
  return connection;
}

std::vector<Route> Primary::routes(const std::stop_token& stop) const {
  if (pinned_) return {*pinned_};
  if (!patroni_) return routes_of(parameters_, spec_.prefer);
  try {
    return patroni_->routes(parameters_, {.prefer = spec_.prefer, .max_lag = spec_.max_lag}, stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    throw SqlError(error, "");
  }
}

Primary::Reached Primary::reach_once(const Wanted& wanted, const std::stop_token& stop) const {
  const auto candidates = routes(stop);
  std::vector<std::string> failures;
  bool only_roles = true;
  for (const auto& route : candidates) {
    try {
      return {.connection = open(route, wanted, stop), .route = route};
    } catch (const SqlError& error) {
      if (candidates.size() == 1 && error.code() != FindingCode::none) throw;
      only_roles = only_roles && error.code() == FindingCode::primary_role;
      failures.push_back(candidates.size() == 1
                             ? std::string(error.what())
                             : fmt::format("{}: {}", route.member, error.what()));
    }
  }
  throw SqlError(
      {ErrorKind::environment, join(failures, "; "),
       "run `pgrehearse doctor` to check the connection to the primary",
       only_roles ? FindingCode::primary_role : FindingCode::primary_unreachable, description()},
      "");
}

Primary::Reached Primary::reach(const Wanted& wanted, const std::stop_token& stop) const {
  const auto deadline = std::chrono::steady_clock::now() + failover_timeout_;
  std::optional<Reached> reached;
  std::exception_ptr failure;
  const auto try_once = [&] {
    try {
      reached.emplace(reach_once(wanted, stop));
      return true;
    } catch (const SqlError& error) {
      if (!is_temporary(error)) throw;
      failure = std::current_exception();
      return false;
    }
  };
  if (!poll_until(deadline, poll_interval, stop, try_once)) std::rethrow_exception(failure);
  return std::move(*reached);
}

Connection Primary::connect(const std::string& database, std::stop_token stop) const {
  return reach({.database = database}, stop).connection;
}

Connection Primary::connect_for_replication(const std::string& database,
                                            std::stop_token stop) const {
  return reach({.database = database, .replication = true}, stop).connection;
}

Connection Primary::connect_for_streaming(const std::string& application_name,
                                          std::stop_token stop) const {
  return reach({.streaming_as = application_name}, stop).connection;
}

Primary Primary::pinned(std::stop_token stop) const {
  Primary server(spec_, nullptr, limits_);
  server.pinned_ = reach(Wanted{}, stop).route;
  server.failover_timeout_ = std::chrono::milliseconds(0);
  return server;
}

template <typename Question>
auto Primary::ask(const Question& question, const std::stop_token& stop) const {
  try {
    auto reached = reach(Wanted{}, stop);
    return question(reached);
  } catch (const SqlError& error) {
    // An error with a code means that no server could be reached.
    if (error.code() != FindingCode::none || !is_server_gone(error)) throw;
  }
  auto reached = reach(Wanted{}, stop);
  return question(reached);
}

PrimaryIdentity Primary::identity(std::stop_token stop) const {
  return ask(
      [](Reached& reached) {
        auto& [connection, route] = reached;
        const auto rows = connection.query(identity_sql);
        // SQL has no unsigned type: the value may be negative.
        const auto identifier = number_of<std::int64_t>(rows.text(0, 0));
        return PrimaryIdentity{.system_identifier = static_cast<std::uint64_t>(identifier),
                               .server_version = connection.server_version(),
                               .timeline = number_of<Timeline>(rows.text(0, 2)),
                               .in_recovery = rows.text(0, 1) == "t",
                               .member = route.member,
                               .reason = route.reason};
      },
      stop);
}

std::optional<Instant> Primary::newest_commit(std::stop_token stop) const {
  return ask(
      [](Reached& reached) -> std::optional<Instant> {
        auto& connection = reached.connection;
        // A separate statement: the function fails if commit times are not tracked.
        const auto tracked = connection.query("select current_setting('track_commit_timestamp')");
        if (tracked.text(0, 0) != "on") return {};
        const auto newest =
            connection.query("select timestamp from pg_catalog.pg_last_committed_xact()");
        if (newest.rows.empty() || !newest.rows[0][0]) return {};
        return parse_instant(*newest.rows[0][0]);
      },
      stop);
}

std::vector<std::string> Primary::databases(std::stop_token stop) const {
  return ask(
      [](Reached& reached) {
        const auto rows = reached.connection.query(
            "select datname from pg_catalog.pg_database "
            "where datallowconn and datconnlimit <> -2 order by datname");
        std::vector<std::string> names;
        for (std::size_t row = 0; row < rows.rows.size(); ++row) {
          names.push_back(rows.text(row, 0));
        }
        return names;
      },
      stop);
}

std::string Primary::description() const {
  auto dsn = describe(parameters_);
  if (!patroni_) return dsn;
  return dsn.empty() ? patroni_->description() : patroni_->description() + ", " + dsn;
}

}  // namespace pgrehearse
