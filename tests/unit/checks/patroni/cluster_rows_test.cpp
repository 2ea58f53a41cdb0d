#include "checks/patroni/cluster_rows.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

RowCounts shop(TableCounts tables) { return {{"shop", {.tables = std::move(tables)}}}; }

Severity only_severity(const ClusterRows& rows) {
  return rows.findings.size() == 1 ? severity_of(rows.findings.front()) : Severity::note;
}

TEST(ClusterRows, EqualCountsAreCompared) {
  const auto counts = shop({{"public.orders", {.rows = 7}},
                            {"public.cache", {.unlogged = true}},
                            {"public.empty", {.rows = 0}}});
  const auto rows = compare_cluster_rows("member2", counts, counts);
  EXPECT_TRUE(rows.findings.empty());
  EXPECT_EQ(rows.tables, 2U);
  EXPECT_EQ(rows.rows, 7U);
}

TEST(ClusterRows, ADifferenceIsAnError) {
  const auto restored = shop({{"public.orders", {.rows = 7}}});
  const auto rows =
      compare_cluster_rows("member2", restored, shop({{"public.orders", {.rows = 1}}}));
  EXPECT_EQ(only_severity(rows), Severity::error);
  EXPECT_EQ(rows.findings.at(0).message,
            "table shop.public.orders has 1 row on member2, 7 rows in the restored cluster");
  EXPECT_EQ(only_severity(compare_cluster_rows("member2", restored, shop({}))), Severity::error);
  EXPECT_EQ(only_severity(compare_cluster_rows("member2", restored, {})), Severity::error);
}

TEST(ClusterRows, WhatOnlyTheMemberCannotReadIsAnError) {
  const auto restored = shop({{"public.orders", {.rows = 7}}});
  const auto damaged = shop({{"public.orders", {.error = "invalid page"}}});
  EXPECT_EQ(only_severity(compare_cluster_rows("member1", restored, damaged)), Severity::error);
  const RowCounts closed{{"shop", {.error = "connection refused"}}};
  EXPECT_EQ(only_severity(compare_cluster_rows("member1", restored, closed)), Severity::error);
}

TEST(ClusterRows, WhatTheRestoredClusterDidNotCountIsUnknown) {
  const auto damaged = shop({{"public.orders", {.error = "invalid page"}}});
  const auto counted = shop({{"public.orders", {.rows = 7}}});
  EXPECT_EQ(only_severity(compare_cluster_rows("member1", damaged, counted)), Severity::unknown);
  EXPECT_EQ(only_severity(compare_cluster_rows("member1", damaged, damaged)), Severity::unknown);
  const RowCounts closed{{"shop", {.error = "connection refused"}}};
  EXPECT_EQ(only_severity(compare_cluster_rows("member1", closed, counted)), Severity::unknown);
}

}  // namespace
}  // namespace pgrehearse
