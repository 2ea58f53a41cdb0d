#include "harness/copies/sharing/reader_role.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/sandbox/instance_sessions.hpp"

namespace pgrehearse {

namespace {

std::string in_quotes(std::string_view name) { return fmt::format("\"{}\"", name); }

void create_reader(Connection& connection) {
  if (connection.query("select pg_is_in_recovery()").text(0, 0) == "t") {
    throw Error(ErrorKind::usage, "the copy is paused: no role can be created in it",
                "give --role with a role of the restored cluster, or open the copy with "
                "'pgrehearse copies promote'");
  }
  const auto exists =
      connection.query("select from pg_roles where rolname = 'pg_read_all_data'").rows.size();
  if (exists == 0) {
    throw Error(ErrorKind::usage, "before PostgreSQL 14 there is no role that may read everything",
                "give --role with a role of the restored cluster");
  }
  connection.query(fmt::format("create role {} login", reader_role));
  connection.query(fmt::format("grant pg_read_all_data to {}", reader_role));
  connection.query(
      fmt::format("alter role {} set default_transaction_read_only = on", reader_role));
}

}  // namespace

std::string hba_with_role(std::string_view hba, std::string_view role) {
  const auto line = fmt::format("local all {} peer map=pgrehearse\n", in_quotes(role));
  if (hba.find(line) != std::string_view::npos) return std::string(hba);
  // Before the line that rejects everybody else.
  return line + std::string(hba);
}

std::string ident_with_role(std::string_view ident, std::string_view superuser,
                            std::string_view role) {
  std::string text(ident);
  const auto end = " " + in_quotes(superuser);
  for (const auto line : lines_of(ident)) {
    if (!line.ends_with(end)) continue;
    const auto added =
        fmt::format("{} {}\n", line.substr(0, line.size() - end.size()), in_quotes(role));
    if (ident.find(added) == std::string_view::npos) text += added;
  }
  return text;
}

std::string admit_role(Sandbox& sandbox, std::string role, const std::stop_token& stop) {
  InstanceSessions sessions(sandbox);
  auto connection = sessions.open({}, ErrorKind::environment, stop);
  const bool chosen = !role.empty();
  if (!chosen) role = reader_role;
  const auto look = [&] {
    return connection.query("select rolcanlogin, rolsuper from pg_roles where rolname = $1",
                            std::vector<Field>{role});
  };
  auto found = look();
  if (found.rows.empty() && !chosen) {
    create_reader(connection);
    found = look();
  }
  if (found.rows.empty()) {
    throw Error(ErrorKind::usage, fmt::format("role \"{}\" does not exist in the copy", role));
  }
  if (found.text(0, 0) != "t") {
    throw Error(ErrorKind::usage, fmt::format("role \"{}\" is not permitted to log in", role),
                "give --role with a role that is");
  }
  if (found.text(0, 1) == "t") {
    throw Error(
        ErrorKind::usage,
        fmt::format("role \"{}\" is a superuser, which can start programs as the account of "
                    "the server",
                    role),
        "give --role with another role");
  }
  const auto& directory = sandbox.paths().configuration;
  const auto hba = directory / "pg_hba.conf";
  const auto ident = directory / "pg_ident.conf";
  sandbox.write_file(ident,
                     ident_with_role(sandbox.read_file(ident), sandbox.spec().superuser, role));
  sandbox.write_file(hba, hba_with_role(sandbox.read_file(hba), role));
  connection.query("select pg_reload_conf()");
  return role;
}

}  // namespace pgrehearse
