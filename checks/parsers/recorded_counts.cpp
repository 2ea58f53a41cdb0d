#include "checks/parsers/recorded_counts.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

constexpr const char* form = R"(use the format {"database": {"schema.table": rows}})";

Error malformed(const std::string& file, const std::string& what) {
  return {ErrorKind::usage, fmt::format("{}: {}", file, what), form, {}, file};
}

std::int64_t rows_of(const nlohmann::json& value, const std::string& file,
                     const std::string& table) {
  if (!value.is_number_integer() ||
      (!value.is_number_unsigned() && value.get<std::int64_t>() < 0)) {
    throw malformed(file, fmt::format("the row count of {} is {}, expected a whole number", table,
                                      value.dump()));
  }
  return value.get<std::int64_t>();
}

}  // namespace

RowCounts parse_recorded_counts(const std::string& text, const std::string& file) {
  nlohmann::json document;
  try {
    document = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    throw malformed(file, fmt::format("invalid JSON at byte {}", error.byte));
  } catch (const nlohmann::json::exception&) {
    throw malformed(file, "a number is too large");
  }
  if (!document.is_object() || document.empty()) throw malformed(file, "contains no databases");
  RowCounts counts;
  for (const auto& [database, tables] : document.items()) {
    if (!tables.is_object()) {
      throw malformed(file,
                      fmt::format("database {} must map table names to row counts", database));
    }
    auto& here = counts[database];
    for (const auto& [table, rows] : tables.items()) {
      here.tables[table].rows = rows_of(rows, file, fmt::format("{}.{}", database, table));
    }
  }
  return counts;
}

RowCounts read_recorded_counts(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot read the row counts in {}: {}", file.string(),
                            std::generic_category().message(errno)),
                "set row_counts.against to `primary` or a file of earlier counts", {},
                file.string());
  }
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return parse_recorded_counts(text, file.string());
}

}  // namespace pgrehearse
