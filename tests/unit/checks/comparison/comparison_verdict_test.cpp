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

}  // namespace
}  // namespace pgrehearse
