// Compares two sets of row counts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checks/shared/name_patterns.hpp"
#include "harness/drill/check.hpp"
#include "harness/primary/row_count.hpp"

namespace pgrehearse {

struct RowComparison {
  double tolerance = 0;                // 0.01: a count may differ by 1 % of the expected one
  std::string source = "the primary";  // where the expected counts come from
  // False: databases that are not expected are of no interest (a file may name a few).
  bool all_databases = true;
  NamePatterns exclude;
  // Least rows, by pattern on database.schema.table; each pattern must meet a table.
  std::map<std::string, std::int64_t> minimum_rows;
};

// Any difference is a fail; a table that could not be counted on the expected side makes it
// unknown, as does nothing compared at all.
CheckOutcome compare_rows(const RowCounts& expected, const RowCounts& actual,
                          const RowComparison& rules);

// Only the minimum numbers of rows; unknown without any.
CheckOutcome require_minimum_rows(const RowCounts& actual, const RowComparison& rules);

}  // namespace pgrehearse
