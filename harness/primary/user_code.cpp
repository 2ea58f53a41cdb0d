#include "harness/primary/user_code.hpp"

#include <fmt/format.h>

#include <vector>

namespace pgrehearse {

namespace {

// A row is a relation with an index or a statistics object that depends on a function in a language
// other than internal (12) and C (13), in which only superusers write.
constexpr const char* relations_sql = R"(
with parts as (
  select i.indrelid as relation, 'pg_catalog.pg_class'::regclass as catalog, i.indexrelid as part
    from pg_catalog.pg_index i
   where i.indexprs is not null or i.indpred is not null
  union all
  select stxrelid, 'pg_catalog.pg_statistic_ext'::regclass, oid from pg_catalog.pg_statistic_ext),
used as (
  select parts.relation, coalesce(o.oprcode::pg_catalog.oid, d.refobjid) as function
    from parts
    join pg_catalog.pg_depend d on d.classid = parts.catalog and d.objid = parts.part
    left join pg_catalog.pg_operator o
      on d.refclassid = 'pg_catalog.pg_operator'::regclass and o.oid = d.refobjid
   where d.refclassid in ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass))
select distinct format('%I.%I', n.nspname, c.relname)
  from used
  join pg_catalog.pg_proc p on p.oid = used.function and p.prolang not in (12, 13)
  join pg_catalog.pg_class c on c.oid = used.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace)";

// One row: the column that is cheapest to send.
constexpr const char* column_sql = R"(
select quote_ident(attname)
  from pg_catalog.pg_attribute
 where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''
 order by atttypid >= 16384, attlen < 0, attlen, attnum
 limit 1)";

}  // namespace

std::set<std::string> relations_with_user_code(Connection& connection) {
  std::set<std::string> names;
  const auto rows = connection.query(relations_sql);
  for (std::size_t row = 0; row < rows.rows.size(); ++row) names.insert(rows.text(row, 0));
  return names;
}

void copy_column(Connection& connection, const std::string& relation, const std::string& column,
                 const std::function<void(std::string_view)>& on_value) {
  auto list = column;
  if (list.empty()) {
    const std::vector<Field> parameters{relation};
    const auto rows = connection.query(column_sql, parameters);
    if (!rows.rows.empty()) list = rows.text(0, 0);
  }
  // stream() gives each row of COPY as one field.
  connection.stream(
      fmt::format("copy {}{} to stdout", relation, list.empty() ? "" : " (" + list + ")"), {},
      [&](const std::vector<Field>& row) {
        const std::string_view text(*row.front());
        on_value(text.substr(0, text.rfind('\n')));
      });
}

std::string search_path_of_every_schema(Connection& connection) {
  return connection
      .query(
          "select 'pg_catalog, ' || string_agg(quote_ident(nspname), ', ') "
          "from pg_catalog.pg_namespace where nspname !~ '^pg_'")
      .text(0, 0);
}

std::int64_t count_by_copy(Connection& connection, const std::string& relation) {
  std::int64_t rows = 0;
  copy_column(connection, relation, {}, [&](std::string_view) { ++rows; });
  return rows;
}

}  // namespace pgrehearse
