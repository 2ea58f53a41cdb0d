#include "checks/shared/copied_counts.hpp"

#include "harness/primary/user_code.hpp"

namespace pgrehearse {

namespace {

bool is_unlogged(Connection& connection, const std::string& relation) {
  const std::vector<Field> parameters{relation};
  return connection
             .query(
                 "select relpersistence = 'u' from pg_catalog.pg_class "
                 "where oid = $1::text::regclass",
                 parameters)
             .text(0, 0) == "t";
}

void count_by_copying(Connection& connection, const std::string& relation, TableCount& count) {
  try {
    count.unlogged = is_unlogged(connection, relation);
    if (!count.unlogged) count.rows = count_by_copy(connection, relation);
  } catch (const SqlError& error) {
    if (error.sqlstate().empty()) throw;
    count.error = error.what();
    count.sqlstate = error.sqlstate();
  }
}

void count_database(const CopiedCounting& counting, const std::string& database,
                    DatabaseCounts& here) {
  auto connection = counting.connect(database);
  const auto copied = relations_with_user_code(connection);
  const auto excluded = [&](std::string_view relation) {
    return counting.exclude.match_relation(database, relation);
  };
  here.tables = count_rows(
      connection,
      [&](std::string_view relation) {
        return !excluded(relation) && !copied.contains(std::string(relation));
      },
      [&](std::uint64_t done, std::uint64_t total) {
        if (counting.on_progress) counting.on_progress(done, total, "tables of " + database);
      });
  for (const auto& relation : copied) {
    if (!excluded(relation)) count_by_copying(connection, relation, here.tables[relation]);
  }
}

}  // namespace

RowCounts count_copied(const CopiedCounting& counting) {
  RowCounts counts;
  for (const auto& database : counting.databases) {
    if (counting.exclude.match_database(database)) continue;
    auto& here = counts[database];
    try {
      count_database(counting, database, here);
    } catch (const SqlError& error) {
      here.error = error.what();
    }
  }
  return counts;
}

}  // namespace pgrehearse
