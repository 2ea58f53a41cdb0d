#include "harness/primary/primary.hpp"

#include <fmt/format.h>

#include <charconv>

namespace pgrehearse {

namespace {

// row_security=off turns silently filtered rows into an error: a policy must not look like loss.
std::string session_options(const PrimaryLimits& limits) {
  return fmt::format(
      "-c default_transaction_read_only=on -c lock_timeout={} -c statement_timeout={} "
      "-c idle_in_transaction_session_timeout={} -c row_security=off",
      limits.lock.count(), limits.statement.count(), limits.idle_in_transaction.count());
}

}  // namespace

Primary::Primary(const std::string& dsn, PrimaryLimits limits)
    : parameters_(parse_dsn(dsn)), limits_(limits) {}

Connection Primary::connect(const std::string& database, std::stop_token stop) const {
  auto parameters = parameters_;
  if (!database.empty()) parameters["dbname"] = database;
  parameters["application_name"] = "pgrehearse";
  auto& options = parameters["options"];
  options += (options.empty() ? "" : " ") + session_options(limits_);
  // The server's limit comes first; ours is for a server that does not answer any more.
  const Connection::Options ours{.query_timeout = limits_.statement + std::chrono::minutes(1),
                                 .failure_kind = ErrorKind::environment};
  return Connection::open(std::move(parameters), ours, std::move(stop));
}

PrimaryIdentity Primary::identity(std::stop_token stop) const {
  auto connection = connect({}, std::move(stop));
  const auto rows = connection.query(
      "select system_identifier, pg_is_in_recovery() from pg_catalog.pg_control_system()");
  const auto& text = rows.text(0, 0);
  std::int64_t identifier = 0;  // SQL has no unsigned type: the high bit shows as a minus sign
  std::from_chars(text.data(), text.data() + text.size(), identifier);
  return {.system_identifier = static_cast<std::uint64_t>(identifier),
          .server_version = connection.server_version(),
          .in_recovery = rows.text(0, 1) == "t"};
}

std::optional<Instant> Primary::newest_commit(std::stop_token stop) const {
  auto connection = connect({}, std::move(stop));
  // A separate statement: the function itself fails where commit times are not tracked.
  const auto tracked = connection.query("select current_setting('track_commit_timestamp')");
  if (tracked.text(0, 0) != "on") return {};
  const auto newest = connection.query("select timestamp from pg_catalog.pg_last_committed_xact()");
  if (newest.rows.empty() || !newest.rows[0][0]) return {};
  return parse_instant(*newest.rows[0][0]);
}

std::vector<std::string> Primary::databases(std::stop_token stop) const {
  auto connection = connect({}, std::move(stop));
  const auto rows = connection.query(
      "select datname from pg_catalog.pg_database "
      "where datallowconn and datconnlimit <> -2 order by datname");
  std::vector<std::string> names;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) names.push_back(rows.text(row, 0));
  return names;
}

std::string Primary::description() const { return describe(parameters_); }

}  // namespace pgrehearse
