#include "harness/locate/catalog_relations.hpp"

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// A row per relation. The table of a TOAST relation's index is that of the TOAST relation.
constexpr const char* relations_sql = R"(
with owned as (
  select c.oid, c.relkind, c.relname, c.relnamespace, c.reltuples, c.reltablespace,
         coalesce(t.oid, i.indrelid, c.oid) as owner
    from pg_catalog.pg_class c
    left join pg_catalog.pg_class t on t.reltoastrelid = c.oid and c.oid <> 0
    left join pg_catalog.pg_index i on i.indexrelid = c.oid
   where c.relkind in ('r', 'i', 't', 'm', 'p', 'I') and c.relpersistence <> 't')
select o.oid, coalesce(t.oid, o.owner), coalesce(pg_catalog.pg_relation_filenode(o.oid), 0),
       coalesce(nullif(o.reltablespace, 0), d.dattablespace), d.oid, o.relkind,
       n.nspname || '.' || o.relname, o.reltuples
  from owned o
  join pg_catalog.pg_namespace n on n.oid = o.relnamespace
  join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
  left join pg_catalog.pg_class t on t.reltoastrelid = o.owner and o.owner <> 0)";

constexpr const char* table_sql = R"(
with recursive tree as (
  select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'm', 'p')
  union
  select i.inhrelid from pg_catalog.pg_inherits i join tree on tree.oid = i.inhparent
                    join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition)
select oid from tree)";

}  // namespace

CatalogRelations read_catalog_relations(Connection& connection, const TableName& table) {
  CatalogRelations catalog{.database = table.database};
  const auto rows = connection.query(relations_sql);
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const auto number = [&](std::size_t column) {
      return number_of<std::uint32_t>(rows.text(row, column));
    };
    catalog.database_oid = number(4);
    catalog.relations.push_back(
        {.oid = number(0),
         .table = number(1),
         .file = {.tablespace = number(3), .database = number(4), .number = number(2)},
         .kind = rows.text(row, 5).front(),
         .name = rows.text(row, 6),
         .rows = number_of<double>(rows.text(row, 7))});
  }
  const std::vector<Field> names{table.schema, table.table};
  const auto searched = connection.query(table_sql, names);
  for (std::size_t row = 0; row < searched.rows.size(); ++row) {
    catalog.searched.push_back(number_of<std::uint32_t>(searched.text(row, 0)));
  }
  return catalog;
}

std::uint32_t database_oid(Connection& connection, const std::string& database) {
  const std::vector<Field> names{database};
  const auto rows =
      connection.query("select oid from pg_catalog.pg_database where datname = $1", names);
  return rows.rows.empty() ? 0 : number_of<std::uint32_t>(rows.text(0, 0));
}

}  // namespace pgrehearse
