// Files for the differences between a copy and the primary. Nothing here is ever applied by the
// harness: a person reviews the file and runs it.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "harness/copies/table_diff.hpp"
#include "harness/copies/table_shape.hpp"

namespace pgrehearse {

// SQL that inserts the rows that only the copy has, in one transaction.
class RescueSql {
 public:
  struct Source {
    TableName table;
    std::string copy;    // "copy 2026... at 0/5000028"
    TableShape primary;  // the table as the primary has it
    std::vector<std::string> columns;
  };
  RescueSql(std::ostream& out, const Source& source);
  void add(std::string_view copy_row);
  // Ends the transaction, with the counts of `counts` in a comment.
  void finish(const DiffCounts& counts);

 private:
  std::ostream& out_;
  std::string insert_;  // up to VALUES
  std::uint64_t rows_ = 0;
};

// One line per differing row: "difference" (only_in_copy, copy, primary, only_in_primary) and the
// columns; a changed row has two lines.
class DifferenceCsv {
 public:
  DifferenceCsv(std::ostream& out, const std::vector<std::string>& columns);
  void add(RowDifference difference, std::string_view copy_row, std::string_view other_row);

 private:
  void line(std::string_view label, std::string_view row);
  std::ostream& out_;
};

}  // namespace pgrehearse
