#include "harness/copies/table_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/copies/copy_text.hpp"
#include "harness/postgres/database_names.hpp"

namespace pgrehearse {

namespace {

// A partition of both tables is in memory at a time.
constexpr std::uint64_t bytes_per_partition = std::uint64_t{32} << 20U;
constexpr std::size_t most_partitions = 256;

}  // namespace

TableDiff::TableDiff(std::vector<std::string> columns, const std::vector<std::string>& key,
                     std::filesystem::path directory, std::uint64_t bytes)
    : columns_(std::move(columns)),
      directory_(std::move(directory)),
      partitions_(std::clamp<std::size_t>(bytes / bytes_per_partition + 1, 1, most_partitions)) {
  for (const auto& name : key) {
    const auto found = std::ranges::find(columns_, name);
    if (found == columns_.end()) {
      key_.clear();
      break;
    }
    key_.push_back(static_cast<std::size_t>(found - columns_.begin()));
  }
  for (std::size_t side = 0; side < 2; ++side) {
    for (std::size_t part = 0; part < partitions_; ++part) {
      files_.push_back(std::make_unique<std::ofstream>(file_of(side, part), std::ios::binary));
    }
  }
}

std::filesystem::path TableDiff::file_of(std::size_t side, std::size_t partition) const {
  return directory_ / fmt::format("rows-{}-{}", side, partition);
}

std::string TableDiff::key_of(std::string_view row) const {
  if (key_.empty()) return std::string(row);
  const auto fields = copy_fields(row);
  std::string key;
  for (const auto at : key_) {
    key += at < fields.size() ? fields[at] : std::string_view();
    key += '\t';
  }
  return key;
}

void TableDiff::add(std::size_t side, std::string_view row) {
  const auto partition = std::hash<std::string>{}(key_of(row)) % partitions_;
  auto& file = *files_[side * partitions_ + partition];
  file << row << '\n';
  if (file) return;
  throw Error(ErrorKind::environment,
              fmt::format("rows cannot be stored in {}", directory_.string()),
              "free disk space, or choose another directory with --state",
              FindingCode::env_disk_full, directory_.string());
}

void TableDiff::compare_partition(std::size_t partition, const OnDifference& on_difference,
                                  DiffCounts& counts) const {
  // By key; without a primary key equal rows are counted.
  struct Entry {
    std::string row;
    std::uint64_t count = 0;
  };
  std::unordered_map<std::string, Entry> rows;
  std::string row;
  std::ifstream copy(file_of(0, partition), std::ios::binary);
  while (std::getline(copy, row)) {
    ++counts.copy;
    auto& entry = rows[key_of(row)];
    entry.row = row;
    ++entry.count;
  }
  std::ifstream other(file_of(1, partition), std::ios::binary);
  while (std::getline(other, row)) {
    ++counts.other;
    const auto found = rows.find(key_of(row));
    if (found == rows.end() || found->second.count == 0) {
      ++counts.only_in_other;
      on_difference(RowDifference::only_in_other, {}, row);
      continue;
    }
    if (found->second.row == row) {
      ++counts.equal;
    } else {
      ++counts.changed;
      on_difference(RowDifference::changed, found->second.row, row);
    }
    --found->second.count;
  }
  for (const auto& [key, entry] : rows) {
    for (std::uint64_t i = 0; i < entry.count; ++i) {
      ++counts.only_in_copy;
      on_difference(RowDifference::only_in_copy, entry.row, {});
    }
  }
}

DiffCounts TableDiff::compare(const OnDifference& on_difference) {
  for (auto& file : files_) file->close();
  DiffCounts counts;
  for (std::size_t partition = 0; partition < partitions_; ++partition) {
    compare_partition(partition, on_difference, counts);
    for (std::size_t side = 0; side < 2; ++side) {
      std::filesystem::remove(file_of(side, partition));
    }
  }
  return counts;
}

void read_rows(Connection& connection, const TableShape& shape,
               const std::vector<std::string>& columns,
               const std::function<void(std::string_view)>& on_row) {
  std::vector<std::string> quoted_columns;
  quoted_columns.reserve(columns.size());
  for (const auto& column : columns) quoted_columns.push_back(quoted_identifier(column));
  const auto list = join(quoted_columns, ", ");
  for (const auto& leaf : shape.leaves) {
    connection.stream(fmt::format("copy {} ({}) to stdout", leaf, list), {},
                      [&](const std::vector<Field>& row) {
                        const std::string_view text(*row.front());
                        on_row(text.substr(0, text.rfind('\n')));
                      });
  }
}

std::vector<std::string> common_columns(const TableShape& copy, const TableShape& other) {
  std::vector<std::string> common;
  for (const auto& column : copy.columns) {
    if (std::ranges::find(other.columns, column) != other.columns.end()) common.push_back(column);
  }
  return common;
}

}  // namespace pgrehearse
