#include "harness/primary/row_count.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <vector>

#include "harness/common/text.hpp"
#include "harness/primary/user_code.hpp"

namespace pgrehearse {

namespace {

// One row per table, largest first. A materialized view that was never populated cannot be read.
constexpr const char* tables_sql = R"(
select format('%I.%I', n.nspname, c.relname), c.relpersistence = 'u', c.relpages
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'm')
   and c.relpersistence <> 't'
   and c.relispopulated
   and n.nspname <> 'information_schema'
   and n.nspname !~ '^pg_'
 order by c.relpages desc, 1)";

constexpr std::size_t most_tables = 200;
// A batch reports progress only at its end, so large tables get their own.
constexpr std::int64_t most_pages = 25'600;  // 200 MB

struct Table {
  std::string name;
  std::int64_t pages = 0;
};

std::size_t batch_length(std::span<const Table> tables) {
  std::size_t length = 1;
  std::int64_t pages = tables[0].pages;
  while (length < tables.size() && length < most_tables) {
    pages += tables[length].pages;
    if (pages > most_pages) break;
    ++length;
  }
  return length;
}

void count_batch(Connection& connection, std::span<const Table> batch, TableCounts& counts) {
  std::vector<std::string> statements;
  statements.reserve(batch.size());
  for (const auto& table : batch) {
    statements.push_back(fmt::format("select count(*) from only {}", table.name));
  }
  const auto results = connection.pipeline(statements);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto& count = counts[batch[i].name];
    if (results[i].error.empty() && !results[i].rows.rows.empty()) {
      count.rows = number_of<std::int64_t>(results[i].rows.text(0, 0));
    } else {
      count.error = results[i].error.empty() ? "the server returned no count" : results[i].error;
      count.sqlstate = results[i].sqlstate;
    }
  }
}

void count_again(Connection& connection, std::span<const Table> tables, TableCounts& counts) {
  std::vector<Table> unresolved;
  for (const auto& table : tables) {
    if (is_undefined(counts[table.name].sqlstate)) unresolved.push_back(table);
  }
  if (unresolved.empty()) return;
  const std::array<Field, 1> every_schema{search_path_of_every_schema(connection)};
  connection.query("select set_config('search_path', $1, false)", every_schema);
  for (const auto& table : unresolved) counts[table.name] = {};
  count_batch(connection, unresolved, counts);
  connection.query("set search_path = pg_catalog");
}

}  // namespace

TableCounts count_rows(Connection& connection, const TableFilter& wanted,
                       const CountProgress& on_progress, bool every_schema) {
  const auto rows = connection.query(tables_sql);
  TableCounts counts;
  std::vector<Table> tables;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const auto& name = rows.text(row, 0);
    if (wanted && !wanted(name)) continue;
    if (rows.text(row, 1) == "t") {
      counts[name].unlogged = true;
    } else {
      tables.push_back({.name = name, .pages = number_of<std::int64_t>(rows.text(row, 2))});
    }
  }
  std::span<const Table> left(tables);
  while (!left.empty()) {
    const auto batch = left.first(batch_length(left));
    count_batch(connection, batch, counts);
    left = left.subspan(batch.size());
    if (on_progress) on_progress(tables.size() - left.size(), tables.size());
  }
  if (every_schema) count_again(connection, tables, counts);
  return counts;
}

}  // namespace pgrehearse
