// How many rows each table holds, on either side of a comparison.
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
  std::string error;      // why it was not counted (lock not available, permission denied, ...)
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

// Whether a table is of interest; the others are not even counted.
using TableFilter = std::function<bool(std::string_view relation)>;
using CountProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Counts every ordinary table, partition leaf and populated materialized view of the connection's
// database, without its descendants; temporary tables and system schemas are left out. Each count
// is a statement, so a snapshot, of its own (no long transaction on the primary), sent in pipeline
// batches: one table that cannot be counted has an error, the others have counts.
TableCounts count_rows(Connection& connection, const TableFilter& wanted,
                       const CountProgress& on_progress);

}  // namespace pgrehearse
