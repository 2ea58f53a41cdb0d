#include "checks/patroni/cluster_rows.hpp"

#include <fmt/format.h>

#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view logs_hint = "see logs/postgres/patroni-*.log in the run directory";

void not_compared(const std::string& member, const std::string& object, const std::string& reason,
                  ClusterRows& result) {
  result.findings.push_back(
      {.code = FindingCode::cluster_rows,
       .severity = Severity::unknown,
       .object = object,
       .message = fmt::format("{} was not compared on {}: it could not be counted in the restored "
                              "cluster: {}",
                              object, member, reason),
       .hint = "exclude it, and check it with `amcheck` or `query`"});
}

void unreadable(const std::string& member, const std::string& object, const std::string& reason,
                ClusterRows& result) {
  result.findings.push_back(
      {.code = FindingCode::cluster_rows,
       .object = object,
       .message = fmt::format("{} cannot be read on {}: {}", object, member, reason),
       .hint = std::string(logs_hint)});
}

void differs(const std::string& member, const std::string& object, std::int64_t found,
             std::int64_t expected, ClusterRows& result) {
  result.findings.push_back(
      {.code = FindingCode::cluster_rows,
       .object = object,
       .message = fmt::format("table {} has {} on {}, {} in the restored cluster", object,
                              counted(static_cast<std::uint64_t>(found), "row", "rows"), member,
                              counted(static_cast<std::uint64_t>(expected), "row", "rows")),
       .hint = std::string(logs_hint),
       .details = {{"member", member},
                   {"expected", std::to_string(expected)},
                   {"actual", std::to_string(found)}}});
}

void compare_tables(const std::string& member, const std::string& database,
                    const TableCounts& restored, const TableCounts& found, ClusterRows& result) {
  for (const auto& [table, expected] : restored) {
    const auto object = fmt::format("{}.{}", database, table);
    const auto actual = found.find(table);
    if (expected.unlogged) continue;
    if (actual == found.end()) {
      unreadable(member, "table " + object, "it does not exist", result);
    } else if (!expected.rows) {
      not_compared(member, "table " + object, expected.error, result);
    } else if (!actual->second.rows) {
      unreadable(member, "table " + object, actual->second.error, result);
    } else {
      ++result.tables;
      result.rows += static_cast<std::uint64_t>(*actual->second.rows);
      if (*expected.rows == *actual->second.rows) continue;
      differs(member, object, *actual->second.rows, *expected.rows, result);
    }
  }
}

}  // namespace

ClusterRows compare_cluster_rows(const std::string& member, const RowCounts& restored,
                                 const RowCounts& found) {
  ClusterRows result;
  for (const auto& [database, expected] : restored) {
    const auto actual = found.find(database);
    if (actual == found.end()) {
      unreadable(member, "database " + database, "it does not exist", result);
    } else if (!expected.error.empty()) {
      not_compared(member, "database " + database, expected.error, result);
    } else if (!actual->second.error.empty()) {
      unreadable(member, "database " + database, actual->second.error, result);
    } else {
      compare_tables(member, database, expected.tables, actual->second.tables, result);
    }
  }
  return result;
}

}  // namespace pgrehearse
