#include "checks/shared/index_recheck.hpp"

#include <fmt/format.h>

#include <array>

#include "checks/parsers/damage_messages.hpp"
#include "checks/shared/user_session.hpp"

namespace pgrehearse {

namespace {

// One row: the index, the schema of amcheck, whether a superuser owns the table.
constexpr const char* index_sql = R"(
select i.indexrelid, (select format('%I', en.nspname) from pg_catalog.pg_extension e
                        join pg_catalog.pg_namespace en on en.oid = e.extnamespace
                       where e.extname = 'amcheck'),
       r.rolsuper
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_index i on i.indexrelid = c.oid
  join pg_catalog.pg_roles r on r.oid = c.relowner
 where format('%s.%s.%s', current_database(), n.nspname, c.relname) = $1)";

// A row is a schema of the search_path in which an ordinary role may create objects.
constexpr const char* open_schemas_sql = R"(
select n.nspname
  from pg_catalog.pg_namespace n
 where n.nspname = any (current_schemas(false))
   and exists (select from pg_catalog.pg_roles r
                where not r.rolsuper and r.rolname !~ '^pg_'
                  and has_schema_privilege(r.oid, n.oid, 'create')))";

// Gives the functions of an index expression the search_path of the session.
constexpr const char* function_sql = R"(
select format('alter function %s set search_path from current', p.oid::regprocedure)
  from pg_catalog.pg_depend d
  join pg_catalog.pg_proc p on p.oid = d.refobjid and p.prokind = 'f'
 where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = $1::oid
   and d.refclassid = 'pg_catalog.pg_proc'::regclass and d.refobjid >= 16384)";

constexpr const char* holder_sql = R"(
select p.gid, p.owner, p.prepared
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_index i on i.indexrelid = c.oid
  join pg_catalog.pg_locks l on l.relation in (c.oid, i.indrelid) and l.granted
  join pg_catalog.pg_locks own on own.virtualtransaction = l.virtualtransaction
  join pg_catalog.pg_prepared_xacts p on p.transaction = own.transactionid
 where format('%s.%s.%s', current_database(), n.nspname, c.relname) = $1
 limit 1)";

class Recheck {
 public:
  Recheck(Connection& connection, const Rows& index, const RecheckOptions& options)
      : connection_(connection), index_(index), options_(options) {}

  // amcheck evaluates the expression as the table's owner.
  bool may_use(const std::string& search_path) {
    const std::array<Field, 1> parameters{"pg_catalog, " + search_path};
    connection_.query("select set_config('search_path', $1, false)", parameters);
    return index_.text(0, 2) != "t" || connection_.query(open_schemas_sql).rows.empty();
  }

  // Empty: intact.
  Connection::PipelineResult run(bool heapallindexed) {
    const bool parent = options_.parent_check || options_.rootdescend;
    const auto sql =
        fmt::format("select {}.{}({}::regclass, {}{})", index_.text(0, 1),
                    parent ? "bt_index_parent_check" : "bt_index_check", index_.text(0, 0),
                    heapallindexed, parent ? fmt::format(", {}", options_.rootdescend) : "");
    return connection_.pipeline(std::array{sql}).at(0);
  }

  // Newer minor releases evaluate expressions with a search_path of their own (PostgreSQL 15.20),
  // but not what functions set for themselves. The copy's functions are changed back.
  Connection::PipelineResult run_with_functions() {
    connection_.query("begin");
    const std::array<Field, 1> parameters{index_.text(0, 0)};
    const auto functions = connection_.query(function_sql, parameters);
    for (const auto& row : functions.rows) connection_.query(row.at(0).value());
    auto result = run(true);
    connection_.query("rollback");
    return result;
  }

 private:
  Connection& connection_;
  const Rows& index_;
  const RecheckOptions& options_;
};

Finding not_checked(const std::string& index, const std::string& why) {
  return {.code = FindingCode::amcheck_error,
          .object = index,
          .message = fmt::format("{} could not be checked: {}", index, why)};
}

Finding finding_of(const std::string& index, const Connection::PipelineResult& result) {
  const bool damage = result.sqlstate.starts_with("XX") || tells_of_damage(result.error);
  if (!damage) return not_checked(index, result.error);
  return {.code = FindingCode::amcheck_index,
          .object = index,
          .message = fmt::format("index {}: {}", index, result.error),
          .hint = "queries using this index may miss rows: REINDEX it on the primary"};
}

}  // namespace

bool lacks_search_path(std::string_view message) {
  constexpr auto kinds = std::to_array<std::string_view>(
      {"function ", "operator ", "relation ", "type ", "schema ", "text search "});
  if (message.find(" does not exist") == std::string_view::npos) return false;
  for (const auto kind : kinds) {
    if (message.starts_with(kind)) return true;
  }
  return false;
}

std::optional<Finding> recheck_index(const InstanceContext& context, const std::string& database,
                                     const std::string& index, const RecheckOptions& options) {
  auto connection = context.connect(database);
  const std::array<Field, 1> parameters{index};
  const auto rows = connection.query(index_sql, parameters);
  if (rows.rows.size() != 1 || !rows.rows[0][1]) return not_checked(index, "its name is ambiguous");
  Recheck recheck(connection, rows, options);
  if (recheck.may_use(configured_search_path(context, connection))) {
    auto result = recheck.run(true);
    if (is_undefined(result.sqlstate) &&
        connection.query("select pg_is_in_recovery()").text(0, 0) == "f") {
      result = recheck.run_with_functions();
    }
    if (result.error.empty()) return {};
    if (!is_undefined(result.sqlstate)) return finding_of(index, result);
  }
  connection.query("set search_path = pg_catalog");
  const auto result = recheck.run(false);
  if (!result.error.empty()) return finding_of(index, result);
  return Finding{.code = FindingCode::amcheck_error,
                 .severity = Severity::note,
                 .object = index,
                 .message = fmt::format("only the structure of {} was checked: a function of its "
                                        "expression does not work without a search_path",
                                        index),
                 .hint = "on the primary: ALTER FUNCTION ... SET search_path"};
}

std::optional<PreparedTransaction> lock_holder(const InstanceContext& context,
                                               const std::string& database,
                                               const std::string& relation) {
  const std::array<Field, 1> parameters{relation};
  const auto rows = context.connect(database).query(holder_sql, parameters);
  if (rows.rows.empty()) return {};
  return PreparedTransaction{
      .name = rows.text(0, 0), .owner = rows.text(0, 1), .prepared = rows.text(0, 2)};
}

}  // namespace pgrehearse
