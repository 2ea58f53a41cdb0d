// The number of rows in each table, for both sides of a comparison.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

struct TableCount {
  std::optional<std::int64_t> rows;
  bool unlogged = false;  // never counted: empty after recovery by design
  std::string error;      // why it was not counted (lock timeout, permission denied, ...)
  std::string sqlstate;   // of the error
};

// By "schema.relation", quoted where SQL needs it.
using TableCounts = std::map<std::string, TableCount>;

struct DatabaseCounts {
  TableCounts tables;
  std::string error;  // why nothing in this database could be counted; empty otherwise
};

// By database.
using RowCounts = std::map<std::string, DatabaseCounts>;

// Whether to count a table.
using TableFilter = std::function<bool(std::string_view relation)>;
using CountProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Counts every ordinary table, partition leaf and populated materialized view of the connection's
// database, without its descendants; temporary tables and system schemas are skipped. Each count is
// a separate statement with its own snapshot (no long transaction on the primary), sent in pipeline
// batches. A table that cannot be counted has an error. `every_schema`: if a function of an index
// expression needs a search_path, count again with every schema in it; not in a copy, whose
// functions could then replace others.
TableCounts count_rows(Connection& connection, const TableFilter& wanted,
                       const CountProgress& on_progress, bool every_schema = false);

}  // namespace pgrehearse
