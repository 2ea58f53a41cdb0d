#include "harness/copies/table_shape.hpp"

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr const char* table_sql = R"(
select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p'))";

constexpr const char* columns_sql = R"(
select attname from pg_catalog.pg_attribute
 where attrelid = $1::oid and attnum > 0 and not attisdropped and attgenerated = ''
 order by attnum)";

constexpr const char* key_sql = R"(
select a.attname
  from pg_catalog.pg_index i
  cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
 where i.indrelid = $1::oid and i.indisprimary
 order by k.place)";

// The tables that have the rows.
constexpr const char* leaves_sql = R"(
with recursive tree as (
  select $1::oid as oid
  union all
  select i.inhrelid from pg_catalog.pg_inherits i join tree on tree.oid = i.inhparent
                    join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition)
select pg_catalog.format('%I.%I', n.nspname, c.relname), c.relpages::bigint * 8192
  from tree join pg_catalog.pg_class c on c.oid = tree.oid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' order by 1)";

// Enabled triggers that an INSERT fires; those of foreign keys are listed as such.
constexpr const char* triggers_sql = R"(
select tgname || ' (' || case when tgtype & 2 <> 0 then 'BEFORE' when tgtype & 64 <> 0
                              then 'INSTEAD OF' else 'AFTER' end || ' INSERT)'
  from pg_catalog.pg_trigger
 where tgrelid = $1::oid and not tgisinternal and tgenabled in ('O', 'A') and tgtype & 4 <> 0
 order by tgname)";

constexpr const char* references_sql = R"(
select conname || ': ' || pg_catalog.pg_get_constraintdef(oid)
  from pg_catalog.pg_constraint where conrelid = $1::oid and contype = 'f' and conparentid = 0
 order by conname)";

constexpr const char* referenced_by_sql = R"(
select pg_catalog.format('%I.%I: %s', n.nspname, c.relname, k.conname)
  from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where k.confrelid = $1::oid and k.contype = 'f' and k.conparentid = 0 order by 1)";

std::vector<std::string> first_column(Connection& connection, const char* sql,
                                      const std::string& oid) {
  const std::vector<Field> parameters{oid};
  std::vector<std::string> values;
  const auto rows = connection.query(sql, parameters);
  for (std::size_t row = 0; row < rows.rows.size(); ++row) values.push_back(rows.text(row, 0));
  return values;
}

}  // namespace

std::optional<TableShape> read_table_shape(Connection& connection, const TableName& table) {
  const std::vector<Field> names{table.schema, table.table};
  const auto found = connection.query(table_sql, names);
  if (found.rows.empty()) return {};
  const auto& oid = found.text(0, 0);
  TableShape shape{.columns = first_column(connection, columns_sql, oid),
                   .key = first_column(connection, key_sql, oid),
                   .triggers = first_column(connection, triggers_sql, oid),
                   .references = first_column(connection, references_sql, oid),
                   .referenced_by = first_column(connection, referenced_by_sql, oid)};
  const std::vector<Field> parameters{oid};
  const auto leaves = connection.query(leaves_sql, parameters);
  for (std::size_t row = 0; row < leaves.rows.size(); ++row) {
    shape.leaves.push_back(leaves.text(row, 0));
    shape.bytes += number_of<std::uint64_t>(leaves.text(row, 1));
  }
  return shape;
}

}  // namespace pgrehearse
