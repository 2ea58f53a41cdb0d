#include "checks/comparison/comparison_rules.hpp"

#include <gtest/gtest.h>

#include "harness/common/error.hpp"
#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {
namespace {

using Tables = std::map<std::string, std::string>;

FingerprintRules rules_of(Tables tables, double sample = 0) {
  return fingerprint_rules_of(
      comparison_rules_of(settings_of({{"tables", std::move(tables)}, {"sample", sample}})));
}

constexpr std::int64_t big = 100'000;

TEST(ComparisonRules, TheLongestMatchingPatternApplies) {
  const auto rules = rules_of(
      {{"shop.*", "count_only"}, {"shop.audit.*", "exclude"}, {"shop.audit.payments", "full"}});
  EXPECT_EQ(rules.relation("shop", "public.orders", 1), Coverage::counted);
  EXPECT_EQ(rules.relation("shop", "audit.log", 1), Coverage::none);
  EXPECT_EQ(rules.relation("shop", "audit.payments", 1), Coverage::full);
  EXPECT_EQ(rules.relation("crm", "public.orders", 1), Coverage::full);
}

TEST(ComparisonRules, SamplesBigTablesUnlessARuleOverridesIt) {
  const auto rules = rules_of({{"shop.public.orders", "full"}}, 0.01);
  EXPECT_EQ(rules.sample.percentage, 1);
  EXPECT_EQ(rules.relation("shop", "public.items", big), Coverage::sampled);
  EXPECT_EQ(rules.relation("shop", "public.items", 100), Coverage::full);
  EXPECT_EQ(rules.relation("shop", "public.orders", big), Coverage::full);
}

TEST(ComparisonRules, AnExcludedDatabaseIsNotEvenConnectedTo) {
  const auto rules = rules_of({{"shop.*", "exclude"}, {"crm.public.*", "exclude"}});
  EXPECT_FALSE(rules.database("shop"));
  EXPECT_TRUE(rules.database("crm"));
}

TEST(ComparisonRules, RejectsUnknownValues) {
  EXPECT_THROW(rules_of({{"shop.*", "some"}}), Error);
  EXPECT_THROW(comparison_rules_of(settings_of({{"budget.connections", std::int64_t{0}}})), Error);
  EXPECT_THROW(comparison_rules_of(settings_of({{"sample", 1.5}})), Error);
}

}  // namespace
}  // namespace pgrehearse
