// Positions of a table's rows: all of them, or some of each page.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

struct RowPosition {
  std::uint32_t block = 0;
  std::uint32_t offset = 0;
};

struct SampleRules {
  std::uint64_t rows_per_page = 1;
  std::uint64_t full_pages = 16;      // tables of up to so many pages: every row
  std::uint64_t most_rows = 2000000;  // of a table; beyond that, pages are left out evenly
};

// Reads the whole table sequentially. Shuffled in a fixed order, so that any first part of it is
// spread over the table. `table` is quoted for SQL.
std::vector<RowPosition> sample_rows(Connection& sql, const std::string& table,
                                     std::uint64_t table_blocks, const SampleRules& rules);

// As a literal of the type tid[].
std::string to_array(const RowPosition* first, std::size_t count);

}  // namespace pgrehearse
