#include "checks/comparison/comparison_verdict.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

ComparisonResult result_with(const ComparisonTally& tally) {
  return {.findings = {}, .tally = tally, .points = {{.database = "shop", .exact = true}}};
}

TEST(ComparisonVerdict, CatalogEntriesAloneAreNoPassWhereTablesWereSkipped) {
  ComparisonTally tally{.databases = 1, .entries = 40};
  EXPECT_EQ(outcome_of(result_with(tally), {}).verdict, Verdict::pass) << "no table exists";
  tally.by_choice["excluded"] = 3;
  const auto outcome = outcome_of(result_with(tally), {});
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].code, FindingCode::compare_incomplete);
  tally.relations = 1;
  EXPECT_EQ(outcome_of(result_with(tally), {}).verdict, Verdict::pass);
}

TEST(ComparisonVerdict, TablesThatDifferComeFirstThenTheLargest) {
  ComparisonRecord record;
  set_tables(record, {{.name = "a", .result = "same", .bytes = 1},
                      {.name = "b", .result = "same", .bytes = 9},
                      {.name = "c", .result = "not compared"},
                      {.name = "d", .result = "missing rows"}});
  std::string order;
  for (const auto& table : record.tables) order += table.name;
  EXPECT_EQ(order, "dcba");
  set_tables(record, std::vector<ComparedTable>(5003, {.result = "same"}));
  EXPECT_EQ(record.tables.size(), 5000U);
  EXPECT_EQ(record.tables_omitted, 3U);
}

}  // namespace
}  // namespace pgrehearse
