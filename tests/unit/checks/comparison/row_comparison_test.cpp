#include "checks/comparison/row_comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RowCounts shop(const std::map<std::string, std::int64_t>& rows) {
  RowCounts counts;
  auto& tables = counts["shop"].tables;
  for (const auto& [table, number] : rows) tables[table].rows = number;
  return counts;
}

TEST(RowComparisonTest, ToleranceIsAShareOfTheExpectedCount) {
  const RowComparison one_percent{.tolerance = 0.01};
  EXPECT_EQ(compare_rows(shop({{"s.t", 1000}}), shop({{"s.t", 990}}), one_percent).verdict,
            Verdict::pass);
  EXPECT_EQ(compare_rows(shop({{"s.t", 1000}}), shop({{"s.t", 1010}}), one_percent).verdict,
            Verdict::pass);
  EXPECT_EQ(compare_rows(shop({{"s.t", 1000}}), shop({{"s.t", 989}}), one_percent).verdict,
            Verdict::fail);
  EXPECT_EQ(compare_rows(shop({{"s.t", 0}}), shop({{"s.t", 1}}), one_percent).verdict,
            Verdict::fail);
  EXPECT_EQ(compare_rows(shop({{"s.t", 7}}), shop({{"s.t", 7}}), {}).verdict, Verdict::pass);
  EXPECT_EQ(compare_rows(shop({{"s.t", 7}}), shop({{"s.t", 6}}), {}).verdict, Verdict::fail);
}

TEST(RowComparisonTest, NothingComparedIsUnknown) {
  EXPECT_EQ(compare_rows({}, {}, {}).verdict, Verdict::unknown);
  EXPECT_EQ(compare_rows(shop({}), shop({}), {}).verdict, Verdict::unknown);
  auto unlogged = shop({});
  unlogged["shop"].tables["s.scratch"].unlogged = true;
  EXPECT_EQ(compare_rows(unlogged, unlogged, {}).verdict, Verdict::unknown);
}

TEST(RowComparisonTest, ATableNotCountedOnThePrimaryIsNeverAPass) {
  auto expected = shop({{"s.counted", 5}});
  expected["shop"].tables["s.locked"].error = "lock timeout";
  const auto outcome = compare_rows(expected, shop({{"s.counted", 5}, {"s.locked", 9}}), {});
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-ROWS-UNCOUNTED shop.s.locked"));
  // A difference elsewhere is still a fail.
  EXPECT_EQ(compare_rows(expected, shop({{"s.counted", 4}, {"s.locked", 9}}), {}).verdict,
            Verdict::fail);
}

TEST(RowComparisonTest, ATableThatCannotBeReadDoesNotMeetItsMinimum) {
  const RowComparison rules{.all_databases = false, .minimum_rows = {{"shop.s.*", 0}}};
  auto actual = shop({{"s.counted", 5}});
  actual["shop"].tables["s.damaged"] = {.error = "invalid page", .sqlstate = "XX001"};
  const auto outcome = compare_rows({}, actual, rules);
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-ROWS-UNREADABLE shop.s.damaged"));
  auto refused = shop({});
  refused["shop"].error = "permission denied";
  EXPECT_THAT(codes_and_objects(compare_rows({}, refused, rules)),
              ElementsAre("PGR-DATABASE-UNREADABLE shop"));
}

TEST(RowComparisonTest, ADatabaseThatRefusedIsUnknownOnEitherSide) {
  auto refused = shop({});
  refused["shop"].error = "permission denied";
  const auto expected = compare_rows(refused, shop({{"s.t", 1}}), {});
  EXPECT_EQ(expected.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(expected), ElementsAre("PGR-ROWS-UNCOUNTED shop"));
  const auto actual = compare_rows(shop({{"s.t", 1}}), refused, {});
  EXPECT_EQ(actual.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(actual), ElementsAre("PGR-DATABASE-UNREADABLE shop"));
}

TEST(RowComparisonTest, AFileNeedNotNameEveryDatabase) {
  auto actual = shop({{"s.t", 1}});
  actual["crm"].tables["s.t"].rows = 1;
  EXPECT_EQ(compare_rows(shop({{"s.t", 1}}), actual, {.all_databases = false}).verdict,
            Verdict::pass);
  const auto outcome = compare_rows(shop({{"s.t", 1}}), actual, {});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-ROWS-EXTRA-DATABASE crm"));
}

TEST(RowComparisonTest, ExcludedTablesGiveNoFinding) {
  const RowComparison rules{.exclude = NamePatterns({"shop.audit.*"})};
  const auto outcome =
      compare_rows(shop({{"s.t", 1}, {"audit.a", 5}}), shop({{"s.t", 1}, {"audit.b", 6}}), rules);
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(outcome.findings, IsEmpty());
  EXPECT_THAT(outcome.summary, HasSubstr("1 table (1 row) "));
}

}  // namespace
}  // namespace pgrehearse
