#include "checks/shared/name_patterns.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(NamePatternsTest, MatchesTheWholeName) {
  const NamePatterns patterns({"shop.audit.*", "*.public.log_?"});
  EXPECT_TRUE(patterns.match_relation("shop", "audit.events"));
  EXPECT_TRUE(patterns.match_relation("crm", "public.log_1"));
  EXPECT_FALSE(patterns.match_relation("crm", "public.log_10"));
  EXPECT_FALSE(patterns.match_relation("shop", "public.audit"));
  EXPECT_FALSE(NamePatterns().match_relation("shop", "public.orders"));
}

TEST(NamePatternsTest, LeavesOutADatabaseOnlyWithEverythingInIt) {
  EXPECT_TRUE(NamePatterns({"shop.*"}).match_database("shop"));
  EXPECT_TRUE(NamePatterns({"*"}).match_database("shop"));
  EXPECT_FALSE(NamePatterns({"shop.audit.*"}).match_database("shop"));
  EXPECT_FALSE(NamePatterns({"*.audit.*"}).match_database("shop"));
  EXPECT_FALSE(NamePatterns({"shop.*"}).match_database("shop_old"));
}

}  // namespace
}  // namespace pgrehearse
