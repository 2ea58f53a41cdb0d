#include "checks/shared/user_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "harness/common/text.hpp"
#include "harness/postgres/session_settings.hpp"

namespace pgrehearse {

namespace {

// A row is a setting of ALTER ROLE ALL or ALTER DATABASE, the less specific first.
constexpr const char* database_settings_sql = R"(
select pg_catalog.lower(pg_catalog.split_part(entry, '=', 1)),
       pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1)
  from pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) as entry
 where s.setrole = 0
   and s.setdatabase in (0, (select oid from pg_catalog.pg_database
                              where datname = pg_catalog.current_database()))
 order by s.setdatabase)";

// Settings that change what a statement means or how its result is written, and nothing else.
bool applies_to_statements(const std::string& name) {
  constexpr auto names = std::to_array<std::string_view>(
      {"array_nulls", "backslash_quote", "bytea_output", "datestyle", "default_text_search_config",
       "extra_float_digits", "intervalstyle", "lc_monetary", "lc_numeric", "lc_time",
       "quote_all_identifiers", "search_path", "standard_conforming_strings", "timezone",
       "timezone_abbreviations", "transform_null_equals", "xmlbinary", "xmloption"});
  const bool custom = name.find('.') != std::string::npos;
  return custom || std::find(names.begin(), names.end(), name) != names.end();
}

void set(Connection& connection, const std::string& name, const std::string& value) {
  const std::array<Field, 2> parameters{name, value};
  try {
    connection.query("select pg_catalog.set_config($1, $2, false)", parameters);
  } catch (const SqlError& error) {
    // What the server would not accept there, either, or what only a superuser may set.
    if (error.sqlstate().empty()) throw;
  }
}

constexpr int first_version_with_read_all_data = 140000;

// A row is a statement that lets a login read one schema.
constexpr const char* grants_sql = R"(
select format(statement, nspname, $1::text)
  from pg_namespace,
       unnest(array['grant usage on schema %I to %I',
                    'grant select on all tables in schema %I to %I',
                    'grant select on all sequences in schema %I to %I']) as statement
 where nspname !~ '^pg_')";

bool exists(Connection& superuser, const std::string& role) {
  const std::vector<Field> parameters{role};
  return !superuser.query("select from pg_roles where rolname = $1", parameters).rows.empty();
}

void create_login(Connection& superuser, const std::string& name, std::string_view rights) {
  const auto quoted = superuser.quote_identifier(name);
  superuser.query(fmt::format(
      "create role {} login nosuperuser nocreatedb nocreaterole noreplication {}", quoted, rights));
  // SET would turn an empty list into a list of one empty name.
  for (const auto& [setting, value] : restricted_query_settings()) {
    const std::vector<Field> parameters{std::string(setting), std::string(value)};
    superuser.query("select set_config($1, $2, true)", parameters);
    superuser.query(fmt::format("alter role {} set {} from current", quoted, setting));
  }
}

// May read everything. Not by SET ROLE: code in its session could go back to the superuser.
std::string prepare_reading_login(const InstanceContext& context, const std::string& database) {
  const auto name = reading_login(context.sandbox.spec().run_id);
  auto superuser = context.connect(database);
  const bool read_all = superuser.server_version() >= first_version_with_read_all_data;
  superuser.query("begin");
  superuser.query("select pg_advisory_xact_lock(0)");
  if (!exists(superuser, name)) {
    create_login(superuser, name, "bypassrls");
    superuser.query(fmt::format("grant pg_read_all_settings, pg_read_all_stats{} to {}",
                                read_all ? ", pg_read_all_data" : "",
                                superuser.quote_identifier(name)));
  }
  if (!read_all) {
    const std::vector<Field> parameters{name};
    const auto grants = superuser.query(grants_sql, parameters);
    for (std::size_t row = 0; row < grants.rows.size(); ++row) superuser.query(grants.text(row, 0));
  }
  superuser.query("commit");
  return name;
}

// Has no rights but those of the roles that it is a member of, one at a time.
std::string prepare_role_login(const InstanceContext& context, const std::string& database,
                               const std::string& role) {
  const auto name = role_login(context.sandbox.spec().run_id);
  auto superuser = context.connect(database);
  superuser.query("begin");
  superuser.query("select pg_advisory_xact_lock(0)");
  if (!exists(superuser, name)) create_login(superuser, name, "noinherit");
  superuser.query(fmt::format("grant {} to {}", superuser.quote_identifier(role),
                              superuser.quote_identifier(name)));
  superuser.query("commit");
  return name;
}

Connection open_login(const InstanceContext& context, const std::string& database,
                      const std::string& role) {
  auto parameters = context.sandbox.server();
  parameters["user"] = role.empty() ? prepare_reading_login(context, database)
                                    : prepare_role_login(context, database, role);
  parameters["dbname"] = database;
  parameters["options"] = query_session_options(context.backup.postgres_major);
  if (!role.empty()) parameters["options"] += " -c role=" + escaped_option(role);
  parameters["channel_binding"] = "disable";
  return Connection::open(
      std::move(parameters),
      {.connect_timeout = std::chrono::minutes(1), .failure_kind = ErrorKind::recovery},
      context.stop);
}

}  // namespace

ServerConfiguration restored_configuration(const InstanceContext& context) {
  Sandbox& sandbox = context.sandbox;
  const auto find = [&sandbox, stop = context.stop](std::vector<std::string> arguments) {
    return sandbox.run({.program = "find", .arguments = std::move(arguments)}, stop);
  };
  const ConfigurationFiles files{
      .read = [&sandbox, find](const std::filesystem::path& file) -> std::optional<std::string> {
        auto text = sandbox.read_file(file);
        if (text.empty() && !find({file.string(), "-maxdepth", "0"}).succeeded()) return {};
        return text;
      },
      .list = [find](const std::filesystem::path& directory)
          -> std::optional<std::vector<std::filesystem::path>> {
        const auto listed = find({directory.string(), "-mindepth", "1", "-maxdepth", "1", "-name",
                                  "[!.]*.conf", "-not", "-type", "d"});
        if (!listed.succeeded()) return {};
        const auto lines = lines_of(listed.output);
        std::vector<std::filesystem::path> found(lines.begin(), lines.end());
        std::sort(found.begin(), found.end());
        return found;
      }};
  return read_configuration(files, sandbox.paths().data,
                            sandbox.paths().configuration / "restored.auto.conf");
}

namespace {

// By name.
std::map<std::string, std::string> configured_settings(const InstanceContext& context,
                                                       Connection& connection) {
  std::map<std::string, std::string> settings{{"search_path", "\"$user\", public"}};
  for (const auto& [name, entry] : restored_configuration(context).values) {
    if (applies_to_statements(name)) settings[name] = entry.value;
  }
  const auto rows = connection.query(database_settings_sql);
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    if (applies_to_statements(rows.text(row, 0))) settings[rows.text(row, 0)] = rows.text(row, 1);
  }
  return settings;
}

}  // namespace

std::string configured_search_path(const InstanceContext& context, Connection& connection) {
  return configured_settings(context, connection).at("search_path");
}

Connection open_user_session(const InstanceContext& context, const std::string& database,
                             const std::string& role) {
  auto connection =
      role == "superuser" ? context.connect(database) : open_login(context, database, role);
  const auto settings = configured_settings(context, connection);
  // Queries of the scenario's own choice may read views and foreign tables.
  if (role == "superuser") set(connection, "restrict_nonsystem_relation_kind", "");
  for (const auto& [name, value] : settings) set(connection, name, value);
  return connection;
}

}  // namespace pgrehearse
