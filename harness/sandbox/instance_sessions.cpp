#include "harness/sandbox/instance_sessions.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "harness/postgres/database_names.hpp"
#include "harness/postgres/session_settings.hpp"
#include "harness/sandbox/socket_peer.hpp"

namespace pgrehearse {

namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The server's messages are in English: lc_messages is C. libpq has no SQLSTATE for a refused
// connection.
SqlError explained(const SqlError& error, const std::string& superuser) {
  const std::string_view message(error.what());
  const bool missing = contains(message, fmt::format("role \"{}\" does not exist", superuser));
  if (missing || contains(message, "is not permitted to log in")) {
    return {{ErrorKind::environment,
             fmt::format("the restored cluster has no role {} that may log in", superuser),
             "set sandbox.superuser to the role with OID 10 in pg_authid of the primary",
             FindingCode::env_superuser, superuser},
            error.sqlstate()};
  }
  if (contains(message, "locale is incompatible with operating system")) {
    const auto begin = message.find("LC_");
    const auto name = message.find('"', begin);
    const auto end = name == std::string_view::npos ? name : message.find('"', name + 1);
    const auto locale = begin == std::string_view::npos || end == std::string_view::npos
                            ? std::string("of the database")
                            : std::string(message.substr(name + 1, end - name - 1));
    return {{ErrorKind::environment, fmt::format("the locale {} is missing here", locale),
             fmt::format("install the locale {} where the sandbox runs, or use an image that has "
                         "it; the backup is not the cause",
                         locale),
             FindingCode::env_locale, locale},
            error.sqlstate()};
  }
  return error;
}

[[noreturn]] void throw_replaced(const std::string& message, const std::string& path) {
  throw SqlError({ErrorKind::environment, message,
                  "something in the sandbox replaced it: treat the restored data as hostile",
                  FindingCode::none, path},
                 "");
}

// Restored code may replace its socket with a link to another server's, or move that server's
// there.
void require_own_socket(const ConnectionParameters& parameters, const Sandbox& sandbox) {
  const auto host = parameters.find("host");
  const auto port = parameters.find("port");
  if (host == parameters.end() || port == parameters.end() || !host->second.starts_with('/')) {
    return;
  }
  const auto path = fmt::format("{}/.s.PGSQL.{}", host->second, port->second);
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw_replaced(fmt::format("{} is not a socket", path), path);
  // The server of a virtual machine is reached through another process.
  if (sandbox.spec().type == "local" &&
      peer_of_socket(path, sandbox.paths().data) == SocketPeer::other) {
    throw_replaced(fmt::format("another process listens on the sandbox's socket {}", path), path);
  }
}

// One row: where the server's data is, whether that is $1, whether the role is a superuser. From
// the releases of August 2024 on, a session can refuse to expand views and to open foreign tables.
constexpr const char* session_sql = R"(
select current_setting('data_directory', true),
       current_setting('data_directory', true) = $1, current_setting('is_superuser'),
       (select set_config(name, 'view, foreign-table', false)
          from pg_settings where name = 'restrict_nonsystem_relation_kind'))";

}  // namespace

Connection InstanceSessions::open(const std::string& database, ErrorKind kind,
                                  const std::stop_token& stop) {
  return database.empty() ? open_any(kind, stop) : open_named(database, kind, stop);
}

Connection InstanceSessions::open_named(const std::string& database, ErrorKind kind,
                                        const std::stop_token& stop) {
  auto parameters = sandbox_.server();
  require_own_socket(parameters, sandbox_);
  parameters["dbname"] = database;
  parameters["options"] = copy_session_options(sandbox_.spec().postgres_major);
  // Not what the environment of the harness demands of production.
  parameters["channel_binding"] = "disable";
  const auto superuser = sandbox_.spec().superuser;
  // Replay at full speed leaves little of a small host for a new session.
  const Connection::Options options{.connect_timeout = std::chrono::minutes(1),
                                    .failure_kind = kind};
  try {
    auto connection = Connection::open(std::move(parameters), options, stop);
    const std::vector<Field> expected{sandbox_.paths().data.string()};
    const auto rows = connection.query(session_sql, expected);
    if (rows.text(0, 2) != "on") {
      throw SqlError(
          {ErrorKind::environment,
           fmt::format("the role {} is not a superuser in the restored cluster", superuser),
           "set sandbox.superuser to the role with OID 10 in pg_authid of the primary",
           FindingCode::env_superuser, superuser},
          "");
    }
    if (rows.text(0, 1) != "t") {
      throw SqlError({ErrorKind::environment,
                      fmt::format("another server answers at the sandbox's socket: its data "
                                  "directory is {}",
                                  rows.text(0, 0)),
                      "something in the sandbox replaced it: treat the restored data as hostile"},
                     "");
    }
    return connection;
  } catch (const SqlError& error) {
    if (error.code() != FindingCode::none) throw;
    throw explained(error, superuser);
  }
}

std::vector<std::string> InstanceSessions::candidates() const {
  std::vector<std::string> names{"postgres", "template1"};
  constexpr std::uint32_t pg_database = 1262;
  const auto global = sandbox_.paths().data / "global";
  const auto file = mapped_file(sandbox_.read_file(global / "pg_filenode.map"), pg_database);
  if (!file) return names;
  for (auto& name : database_names(sandbox_.read_file(global / std::to_string(*file)))) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

Connection InstanceSessions::open_any(ErrorKind kind, const std::stop_token& stop) {
  std::string known;
  {
    const std::lock_guard lock(mutex_);
    known = open_database_;
  }
  if (!known.empty()) {
    try {
      return open_named(known, kind, stop);
    } catch (const SqlError& error) {
      if (!contains(error.what(), "FATAL:")) throw;
    }
  }
  std::optional<SqlError> first;
  for (const auto& name : candidates()) {
    try {
      auto connection = open_named(name, kind, stop);
      const std::lock_guard lock(mutex_);
      open_database_ = name;
      return connection;
    } catch (const SqlError& error) {
      // Another database helps only if this one is missing, closed or lacks its locale.
      const bool refused =
          contains(error.what(), "FATAL:") && !contains(error.what(), "the database system is");
      if (!refused && error.code() != FindingCode::env_locale) throw;
      if (!first || error.code() != FindingCode::none) first = error;
    }
  }
  throw SqlError(*first);
}

std::vector<std::string> databases_in(Connection& session) {
  // datconnlimit -2 marks a database whose DROP was interrupted: it accepts nobody.
  const auto rows = session.query(
      "select datname from pg_database where datallowconn and datconnlimit <> -2 order by 1");
  std::vector<std::string> names;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) names.push_back(rows.text(row, 0));
  return names;
}

std::vector<std::string> InstanceSessions::databases(const std::stop_token& stop) {
  auto session = open_any(ErrorKind::startup, stop);
  return databases_in(session);
}

// Event triggers do not fire for statements about event triggers.
void InstanceSessions::disable_event_triggers(const std::stop_token& stop) {
  for (const auto& database : databases(stop)) {
    try {
      auto connection = open_named(database, ErrorKind::recovery, stop);
      const auto rows = connection.query(
          "select format('alter event trigger %I disable', evtname) from pg_event_trigger "
          "where evtenabled <> 'D'");
      for (std::size_t row = 0; row < rows.rows.size(); ++row) connection.query(rows.text(row, 0));
    } catch (const SqlError& error) {
      // Whoever checks this database reports it.
      spdlog::debug("event triggers of {}: {}", database, error.what());
    }
  }
}

}  // namespace pgrehearse
