// Compares the rows of one table on two servers, by primary key, or by content without one. Both
// tables are read once, without sorting; rows are kept in files of a private directory, so that
// memory stays bounded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/copies/table_shape.hpp"

namespace pgrehearse {

enum class RowDifference {
  only_in_copy,
  changed,        // same key, other content
  only_in_other,  // in the server that the copy is compared with
};

struct DiffCounts {
  std::uint64_t copy = 0;  // rows read
  std::uint64_t other = 0;
  std::uint64_t equal = 0;
  std::uint64_t only_in_copy = 0;
  std::uint64_t changed = 0;
  std::uint64_t only_in_other = 0;
  [[nodiscard]] bool same() const { return only_in_copy + changed + only_in_other == 0; }
};

// Rows in COPY's text format; empty where there is none.
using OnDifference = std::function<void(RowDifference difference, std::string_view copy_row,
                                        std::string_view other_row)>;

class TableDiff {
 public:
  // `columns` of both tables, of which `key` are the primary key; empty: none. `directory` belongs
  // to this process only and outlives the object. `bytes`: the size of the larger table.
  TableDiff(std::vector<std::string> columns, const std::vector<std::string>& key,
            std::filesystem::path directory, std::uint64_t bytes);

  void add_copy_row(std::string_view row) { add(0, row); }
  void add_other_row(std::string_view row) { add(1, row); }
  // Once all rows are added. Differences come in no particular order.
  DiffCounts compare(const OnDifference& on_difference);

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }

 private:
  void add(std::size_t side, std::string_view row);
  [[nodiscard]] std::string key_of(std::string_view row) const;
  [[nodiscard]] std::filesystem::path file_of(std::size_t side, std::size_t partition) const;
  void compare_partition(std::size_t partition, const OnDifference& on_difference,
                         DiffCounts& counts) const;

  std::vector<std::string> columns_;
  std::vector<std::size_t> key_;  // positions in columns_
  std::filesystem::path directory_;
  std::size_t partitions_;
  std::vector<std::unique_ptr<std::ofstream>> files_;  // side * partitions_ + partition
};

// COPY of the columns of every leaf; calls `on_row` with each row, without its line feed.
void read_rows(Connection& connection, const TableShape& shape,
               const std::vector<std::string>& columns,
               const std::function<void(std::string_view)>& on_row);

// The columns that both tables have, in the order of the first.
std::vector<std::string> common_columns(const TableShape& copy, const TableShape& other);

}  // namespace pgrehearse
