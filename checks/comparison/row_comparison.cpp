#include "checks/comparison/row_comparison.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "checks/shared/database_walk.hpp"
#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view lock_not_available = "55P03";
// From copy_column(): a materialized view.
constexpr std::string_view wrong_object_type = "42809";

class Comparison {
 public:
  explicit Comparison(const RowComparison& rules) : rules_(rules) {}

  void compare(const RowCounts& expected, const RowCounts& actual) {
    for (const auto& [database, counts] : expected) {
      if (rules_.exclude.match_database(database)) continue;
      const auto found = actual.find(database);
      if (found == actual.end()) {
        fail({.code = FindingCode::rows_missing_database,
              .object = database,
              .message = fmt::format("database {} of {} is not in the restored cluster", database,
                                     rules_.source),
              .details = {{"tables", std::to_string(counts.tables.size())}}});
      } else if (!counts.error.empty()) {
        uncounted(database, counts.error);
      } else if (!found->second.error.empty()) {
        reported_.insert(database);
        not_looked_at(database, found->second.error);
      } else {
        compare_database(database, counts.tables, found->second.tables);
      }
    }
    for (const auto& [database, counts] : actual) {
      if (!rules_.all_databases || expected.contains(database)) continue;
      if (rules_.exclude.match_database(database)) continue;
      fail({.code = FindingCode::rows_extra_database,
            .object = database,
            .message = fmt::format("database {} is in the restored cluster but not in {}", database,
                                   rules_.source),
            .details = {{"tables", std::to_string(counts.tables.size())}}});
    }
  }

  void require_minimum(const RowCounts& actual) {
    for (const auto& [pattern, least] : rules_.minimum_rows) {
      std::uint64_t met = 0;
      for (const auto& [database, counts] : actual) {
        for (const auto& [table, count] : counts.tables) {
          const auto object = fmt::format("{}.{}", database, table);
          if (!matches_pattern(pattern, object)) continue;
          ++met;
          if (count.rows) {
            ++checked_minimum_;
            if (*count.rows < least) too_few(object, *count.rows, least);
          } else if (!count.error.empty() && reported_.insert(object).second) {
            unreadable(object, count);
          }
        }
        // Its tables could not be listed: the pattern may mean one of them.
        if (!counts.error.empty()) {
          ++met;
          if (reported_.insert(database).second) not_looked_at(database, counts.error);
        }
      }
      if (met == 0) {
        fail({.code = FindingCode::rows_missing_table,
              .object = pattern,
              .message = fmt::format(
                  "no table in the restored cluster matches {} (at least {} rows required)",
                  pattern, least),
              .details = {{"minimum", std::to_string(least)}}});
      }
    }
  }

  CheckOutcome outcome() && {
    CheckOutcome outcome{.verdict = Verdict::pass, .findings = std::move(findings_)};
    const bool looked = compared_ + checked_minimum_ > 0;
    if (failed_) {
      outcome.verdict = Verdict::fail;
    } else if (uncounted_ > 0 || !looked) {
      outcome.verdict = Verdict::unknown;
    }
    outcome.summary = fmt::format("{} ({}) compared with {}", counted(compared_, "table", "tables"),
                                  counted(rows_, "row", "rows"), rules_.source);
    if (unlogged_ > 0) {
      outcome.summary += fmt::format("; {} unlogged, empty after recovery by design", unlogged_);
    }
    if (uncounted_ > 0) outcome.summary += fmt::format("; {} could not be counted", uncounted_);
    return outcome;
  }

 private:
  void fail(Finding finding) {
    failed_ = true;
    findings_.push_back(std::move(finding));
  }

  void compare_database(const std::string& database, const TableCounts& expected,
                        const TableCounts& actual) {
    for (const auto& [table, count] : expected) {
      if (rules_.exclude.match_relation(database, table)) continue;
      const auto object = fmt::format("{}.{}", database, table);
      const auto found = actual.find(table);
      if (found == actual.end()) {
        missing_table(object, count);
      } else if (count.unlogged || found->second.unlogged) {
        ++unlogged_;
      } else if (!found->second.error.empty()) {
        reported_.insert(object);
        unreadable(object, found->second);
      } else if (!count.error.empty()) {
        uncounted(object, count.error);
      } else {
        compare_table(object, *count.rows, *found->second.rows);
      }
    }
    for (const auto& [table, count] : actual) {
      if (expected.contains(table) || rules_.exclude.match_relation(database, table)) continue;
      extra_table(fmt::format("{}.{}", database, table), count);
    }
  }

  void compare_table(const std::string& object, std::int64_t expected, std::int64_t actual) {
    ++compared_;
    rows_ += static_cast<std::uint64_t>(actual);
    const auto allowed =
        static_cast<std::int64_t>(std::floor(static_cast<double>(expected) * rules_.tolerance));
    const auto difference = actual - expected;
    if (std::abs(difference) <= allowed) return;
    fail({.code = FindingCode::rows_differ,
          .object = object,
          .message = fmt::format("table {} has {} rows in the restored cluster, {} in {} ({:+d}, "
                                 "{} allowed)",
                                 object, actual, expected, rules_.source, difference, allowed),
          .hint = "check whether rows changed after the recovery point; if so, set a tolerance or "
                  "use the check `comparison`",
          .details = {{"expected", std::to_string(expected)},
                      {"actual", std::to_string(actual)},
                      {"allowed_difference", std::to_string(allowed)}}});
  }

  void missing_table(const std::string& object, const TableCount& count) {
    fail({.code = FindingCode::rows_missing_table,
          .object = object,
          .message =
              fmt::format("table {} of {}{} is not in the restored cluster", object, rules_.source,
                          count.rows ? fmt::format(" ({} rows)", *count.rows) : ""),
          .hint = "check whether the table was created after the recovery point",
          .details = {{"expected", count.rows ? std::to_string(*count.rows) : "not counted"},
                      {"actual", "no such table"}}});
  }

  void extra_table(const std::string& object, const TableCount& count) {
    fail({.code = FindingCode::rows_extra_table,
          .object = object,
          .message = fmt::format(
              "table {} with {} rows is in the restored cluster but not in {}", object,
              count.rows ? std::to_string(*count.rows) : "an unknown number of", rules_.source),
          .hint = "check whether the table was dropped after the recovery point",
          .details = {{"expected", "no such table"},
                      {"actual", count.rows ? std::to_string(*count.rows) : "not counted"}}});
  }

  void unreadable(const std::string& object, const TableCount& count) {
    if (count.sqlstate == lock_not_available) return locked(object);
    if (count.sqlstate == wrong_object_type) return not_copied(object);
    fail({.code = FindingCode::rows_unreadable,
          .object = object,
          .message = fmt::format("table {} cannot be read in the restored cluster: {}", object,
                                 count.error),
          .hint = "run amcheck and page_checksums to find the extent of the damage",
          .details = {{"sqlstate", count.sqlstate}}});
  }

  // Replay holds the ACCESS EXCLUSIVE locks of transactions that were running at the landing.
  void locked(const std::string& object) {
    ++uncounted_;
    findings_.push_back(
        {.code = FindingCode::rows_locked,
         .object = object,
         .message = fmt::format("table {} was not counted: a transaction in progress at the "
                                "landing holds an ACCESS EXCLUSIVE lock on it",
                                object),
         .hint =
             "recover to another point; with `latest`, run the drill again when the transaction "
             "has ended on the primary and its WAL "
             "is archived"});
  }

  void not_copied(const std::string& object) {
    ++uncounted_;
    findings_.push_back(
        {.code = FindingCode::rows_uncounted,
         .object = object,
         .message = fmt::format("materialized view {} was not counted in the restored cluster: its "
                                "indexes call functions of users",
                                object),
         .hint = "exclude it, and count it with a `query` check"});
  }

  void too_few(const std::string& object, std::int64_t actual, std::int64_t least) {
    fail({.code = FindingCode::rows_too_few,
          .object = object,
          .message =
              fmt::format("table {} has {} rows, at least {} required", object, actual, least),
          .details = {{"minimum", std::to_string(least)}, {"actual", std::to_string(actual)}}});
  }

  void uncounted(const std::string& object, const std::string& reason) {
    ++uncounted_;
    findings_.push_back(
        {.code = FindingCode::rows_uncounted,
         .object = object,
         .message = fmt::format("{} could not be counted on {}: {}", object, rules_.source, reason),
         .hint =
             "grant pg_read_all_data (and BYPASSRLS for row-level security), run the drill at a "
             "quieter time, or exclude the table"});
  }

  void not_looked_at(const std::string& database, const std::string& reason) {
    ++uncounted_;
    findings_.push_back(
        {.code = FindingCode::database_unreadable,
         .object = database,
         .message = fmt::format("database {} could not be read in the restored cluster: {}",
                                database, reason)});
  }

  const RowComparison& rules_;
  std::vector<Finding> findings_;
  bool failed_ = false;
  std::uint64_t compared_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t unlogged_ = 0;
  std::uint64_t uncounted_ = 0;
  std::uint64_t checked_minimum_ = 0;
  std::set<std::string> reported_;  // tables and databases that could not be read
};

}  // namespace

CheckOutcome compare_rows(const RowCounts& expected, const RowCounts& actual,
                          const RowComparison& rules) {
  Comparison comparison(rules);
  comparison.compare(expected, actual);
  comparison.require_minimum(actual);
  return std::move(comparison).outcome();
}

CheckOutcome require_minimum_rows(const RowCounts& actual, const RowComparison& rules) {
  Comparison comparison(rules);
  comparison.require_minimum(actual);
  return std::move(comparison).outcome();
}

}  // namespace pgrehearse
