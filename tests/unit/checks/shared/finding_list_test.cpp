#include "checks/shared/finding_list.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(FindingList, KeepsTheFirstOfEachCodeAndSaysHowManyMore) {
  FindingList list(2);
  for (const auto* object : {"c", "a", "b"})
    list.add({.code = FindingCode::amcheck_heap, .object = object});
  list.add({.code = FindingCode::wal_gap, .object = "z"});
  const auto findings = list.take();
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].object, "a");
  EXPECT_EQ(findings[1].object, "c");
  EXPECT_EQ(findings[1].hint, "1 more of this kind not shown");
  EXPECT_EQ(findings[1].details.at("not_shown"), "1");
  EXPECT_EQ(findings[2].code, FindingCode::wal_gap);
  EXPECT_TRUE(findings[2].hint.empty());
}

}  // namespace
}  // namespace pgrehearse
