#include "checks/index_probe/visibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/parsers/damage_messages.hpp"

namespace pgrehearse {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// A row is a relation that has a visibility map. Pages that were new when the map was written are
// not in it.
constexpr const char* relations_sql = R"(
select c.oid, format('%I.%I', n.nspname, c.relname)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'm', 't') and c.relpersistence = 'p' and c.relam in (0, 2)
   and pg_catalog.pg_relation_size(c.oid, 'vm') > 0
 order by 2)";

struct Question {
  std::string_view sql;  // {} is the extension's schema; returns a count and a position
  std::string_view what;
};

constexpr std::array questions{
    Question{"select count(*), min(t_ctid)::text from {}.pg_check_visible($1::oid) as t_ctid",
             "rows not visible to every transaction on pages marked all-visible"},
    Question{"select count(*), min(t_ctid)::text from {}.pg_check_frozen($1::oid) as t_ctid",
             "rows not frozen on pages marked all-frozen"},
    Question{"select count(*), '(' || min(blkno) || ',0)' from {}.pg_visibility($1::oid) "
             "where all_visible and not pd_all_visible",
             "pages marked all-visible in the map only, not in the page"}};

class VisibilityMaps {
 public:
  VisibilityMaps(const std::string& database, Connection& sql, const VisibilityRules& rules,
                 FindingList& findings)
      : database_(database), sql_(sql), rules_(rules), findings_(findings) {}

  std::uint64_t check() {
    const auto relations = sql_.query(relations_sql);
    std::uint64_t examined = 0;
    for (std::size_t row = 0; row < relations.rows.size(); ++row) {
      if (!rules_.wanted(relations.text(row, 1))) continue;
      if (std::chrono::steady_clock::now() > rules_.deadline) {
        incomplete(database_,
                   fmt::format("the visibility maps of {} of {} tables in {} were not checked: the "
                               "time limit was reached",
                               relations.rows.size() - row, relations.rows.size(), database_),
                   "raise `max_seconds`, name fewer `tables`, or set `visibility: false`");
        break;
      }
      check(relations.text(row, 0), relations.text(row, 1));
      ++examined;
    }
    return examined;
  }

 private:
  void check(const std::string& oid, const std::string& name) {
    const auto object = fmt::format("{}.{}", database_, name);
    sql_.query("savepoint relation");
    try {
      for (const auto& question : questions) ask(question, oid, object);
    } catch (const SqlError& error) {
      if (error.sqlstate().empty()) throw;
      sql_.query("rollback to savepoint relation");
      const bool damage = error.sqlstate().starts_with("XX") || tells_of_damage(error.what());
      if (damage) {
        findings_.add(
            {.code = FindingCode::rows_unreadable,
             .object = object,
             .message = fmt::format("table {} could not be read: {}", object, error.what()),
             .details = {{"sqlstate", error.sqlstate()}}});
      } else {
        incomplete(
            object,
            fmt::format("the visibility map of {} was not checked: {}", object, error.what()), "");
      }
    }
    sql_.query("release savepoint relation");
  }

  void ask(const Question& question, const std::string& oid, const std::string& object) {
    const auto left = std::chrono::duration_cast<milliseconds>(rules_.deadline -
                                                               std::chrono::steady_clock::now());
    sql_.query(
        fmt::format("set local statement_timeout = {}", std::max(left, milliseconds(1s)).count()));
    const std::array<Field, 1> relation{oid};
    const auto rows =
        sql_.query(fmt::format(fmt::runtime(question.sql), schema_of_extension()), relation);
    if (rows.text(0, 0) == "0") return;
    findings_.add(
        {.code = FindingCode::probe_visibility,
         .object = object,
         .message = fmt::format("the visibility map of {} is wrong: {} {}, the first at {}", object,
                                rows.text(0, 0), question.what, rows.text(0, 1)),
         .hint = "on the primary: VACUUM (DISABLE_PAGE_SKIPPING) " +
                 object.substr(database_.size() + 1),
         .details = {{"number", rows.text(0, 0)}, {"position", rows.text(0, 1)}}});
  }

  const std::string& schema_of_extension() {
    if (schema_.empty()) {
      schema_ = sql_.query(
                        "select format('%I', n.nspname) from pg_catalog.pg_extension e "
                        "join pg_catalog.pg_namespace n on n.oid = e.extnamespace "
                        "where e.extname = 'pg_visibility'")
                    .text(0, 0);
    }
    return schema_;
  }

  void incomplete(const std::string& object, std::string message, std::string hint) {
    findings_.add({.code = FindingCode::probe_incomplete,
                   .object = object,
                   .message = std::move(message),
                   .hint = std::move(hint)});
  }

  const std::string& database_;
  Connection& sql_;
  const VisibilityRules& rules_;
  FindingList& findings_;
  std::string schema_;
};

}  // namespace

std::uint64_t check_visibility_maps(const std::string& database, Connection& sql,
                                    const VisibilityRules& rules, FindingList& findings) {
  sql.query("begin isolation level read committed read write");
  sql.query("set local session_replication_role = replica");  // no event triggers
  sql.query("set local lock_timeout = '30s'");
  std::uint64_t examined = 0;
  try {
    sql.query("create schema if not exists pgrehearse_probe");
    sql.query("create extension if not exists pg_visibility schema pgrehearse_probe");
    examined = VisibilityMaps(database, sql, rules, findings).check();
  } catch (const SqlError& error) {
    if (error.sqlstate().empty()) throw;
    findings.add({.code = FindingCode::probe_incomplete,
                  .object = database,
                  .message = fmt::format("the visibility maps in {} were not checked: {}", database,
                                         error.what()),
                  .hint = "install PostgreSQL's contrib modules on this host, or set "
                          "`visibility: false`",
                  .details = {{"sqlstate", error.sqlstate()}}});
  }
  sql.query("rollback");
  return examined;
}

}  // namespace pgrehearse
