#include "checks/comparison/comparison_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "checks/shared/database_walk.hpp"
#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

bool all_exact(const std::vector<DatabaseFingerprint>& points) {
  return std::all_of(points.begin(), points.end(), [](const auto& point) { return point.exact; });
}

std::string not_compared(const ComparisonTally& tally) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  for (const auto& [cause, count] : tally.by_choice) add(count, cause);
  add(tally.rewritten, "rewritten or locked");
  add(tally.gaps, "not readable");
  return text;
}

std::string summary_of(const ComparisonResult& result) {
  const auto& tally = result.tally;
  if (result.points.empty()) return "nothing compared";
  const auto record = record_of(result.points);
  auto text = fmt::format(
      "{}{}: {}, {} with {}, {}, {}: {}", record.exact ? "exact" : "approximate",
      record.lsn ? fmt::format(" at {}{}", to_text(*record.lsn),
                               record.exact ? " (" + record.method + ")" : "")
                 : "",
      counted(tally.databases, "database", "databases"),
      counted(tally.relations, "relation", "relations"), counted(tally.rows, "row", "rows"),
      counted(tally.sequences, "sequence", "sequences"),
      counted(tally.entries, "catalog entry", "catalog entries"),
      tally.differences == 0 ? "no difference"
                             : counted(tally.differences, "difference", "differences"));
  const auto by = [&](const char* coverage) {
    const auto found = tally.by_coverage.find(coverage);
    return found == tally.by_coverage.end() ? 0 : found->second;
  };
  if (by("sampled") > 0) text += fmt::format("; {} sampled", by("sampled"));
  if (by("counted") > 0) text += fmt::format("; {} counted only", by("counted"));
  if (const auto left = not_compared(tally); !left.empty()) {
    text += fmt::format("; not compared: {}", left);
  }
  return text;
}

}  // namespace

ComparisonRecord record_of(const std::vector<DatabaseFingerprint>& points) {
  if (points.empty()) {
    return {.method = "none", .explanation = "nothing was compared with the primary"};
  }
  ComparisonRecord record{.exact = all_exact(points), .method = points.front().method};
  for (const auto& point : points) {
    if (!record.lsn || point.lsn > *record.lsn) record.lsn = point.lsn;
    record.candidates += point.candidates;
    if (!record.explanation.empty()) record.explanation += "; ";
    record.explanation += fmt::format("{} at {} ({}{})", point.database, to_text(point.lsn),
                                      point.exact ? "exact, " + point.method : "approximate",
                                      point.explanation.empty() ? "" : ": " + point.explanation);
  }
  return record;
}

void set_tables(ComparisonRecord& record, std::vector<ComparedTable> tables) {
  constexpr std::size_t most_tables = 5000;
  const auto rank = [](const ComparedTable& table) {
    return table.result == "same" ? 2 : table.result == "not compared" ? 1 : 0;
  };
  std::ranges::sort(tables, [&](const auto& a, const auto& b) {
    return std::tuple(rank(a), b.bytes, a.name) < std::tuple(rank(b), a.bytes, b.name);
  });
  if (tables.size() > most_tables) {
    record.tables_omitted = tables.size() - most_tables;
    tables.resize(most_tables);
  }
  record.tables = std::move(tables);
}

CheckOutcome outcome_of(ComparisonResult result, const ComparisonRules& rules) {
  CheckOutcome outcome{.verdict = Verdict::pass, .summary = summary_of(result)};
  const bool exact = all_exact(result.points);
  const auto& tally = result.tally;
  // Catalog entries alone are no evidence for the tables that they describe.
  const bool tables_skipped = tally.rewritten > 0 || !tally.by_choice.empty();
  const bool nothing_compared =
      tally.relations == 0 && (tally.entries == 0 || (tables_skipped && tally.differences == 0));
  const bool gaps_pass = rules.uncompared_passes && !nothing_compared;
  const bool differences_are_certain = exact || rules.tolerance > 0;
  if ((tally.gaps > 0 && !gaps_pass) || nothing_compared) outcome.verdict = Verdict::unknown;
  if (tally.differences > 0) {
    outcome.verdict = differences_are_certain ? Verdict::fail : Verdict::unknown;
  }
  for (auto& finding : result.findings) {
    const auto severity = severity_of(finding);
    if (severity == Severity::error && !differences_are_certain) {
      finding.severity = Severity::unknown;
    }
    if (severity == Severity::unknown && gaps_pass) finding.severity = Severity::note;
  }
  if (nothing_compared && tally.entries > 0) {
    result.findings.push_back({.code = FindingCode::compare_incomplete,
                               .message = "no table was compared: " + not_compared(tally)});
  }
  if (!exact) {
    result.findings.push_back(
        {.code = FindingCode::compare_inexact,
         .message = "the comparison is approximate: " + record_of(result.points).explanation,
         .hint = rules.tolerance > 0 ? ""
                                     : "set a tolerance, or meet the requirements of an "
                                       "exact comparison (see docs/comparison.md)"});
  }
  outcome.findings = std::move(result.findings);
  return outcome;
}

}  // namespace pgrehearse
