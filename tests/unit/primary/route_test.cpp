#include "harness/primary/route.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

// "member role" of each, one a line.
std::string routes(const std::string& dsn, PreferredMember prefer = PreferredMember::any) {
  std::string text;
  for (const auto& route : routes_of(parse_dsn(dsn), prefer)) {
    EXPECT_FALSE(route.parameters.contains("target_session_attrs"));
    const char* role = route.role == ExpectedRole::primary   ? "primary"
                       : route.role == ExpectedRole::standby ? "standby"
                                                             : "any";
    text += fmt::format("{} {}\n", route.member, role);
  }
  return text;
}

TEST(Route, OneHostIsUsedUnchanged) {
  EXPECT_EQ(routes("host=db1 user=x"), "db1:5432 any\n");
  EXPECT_EQ(routes("user=x"), "localhost:5432 any\n");
  EXPECT_EQ(routes("hostaddr=10.0.0.1 port=6000"), "10.0.0.1:6000 any\n");
}

TEST(Route, EachHostHasItsOwnRoute) {
  EXPECT_EQ(routes("postgresql://db1:6001,db2:6002/x?target_session_attrs=primary"),
            "db1:6001 primary\ndb2:6002 primary\n");
  EXPECT_EQ(routes("host=db1,db2 port=6000"), "db1:6000 any\ndb2:6000 any\n");
  const auto both = routes_of(parse_dsn("host=db1,db2 hostaddr=10.0.0.1,10.0.0.2 port=1,2 user=x"),
                              PreferredMember::any);
  EXPECT_EQ(both.at(1).parameters,
            (ConnectionParameters{
                {"host", "db2"}, {"hostaddr", "10.0.0.2"}, {"port", "2"}, {"user", "x"}}));
}

TEST(Route, SessionAttributesBecomeExpectedRoles) {
  EXPECT_EQ(routes("host=a target_session_attrs=read-write"), "a:5432 primary\n");
  EXPECT_EQ(routes("host=a target_session_attrs=read-only"), "a:5432 standby\n");
  EXPECT_EQ(routes("host=a,b target_session_attrs=prefer-standby"),
            "a:5432 standby\nb:5432 standby\na:5432 any\nb:5432 any\n");
}

TEST(Route, ScenarioPreferenceTakesPrecedence) {
  EXPECT_EQ(routes("host=a target_session_attrs=any", PreferredMember::primary),
            "a:5432 primary\n");
  EXPECT_EQ(routes("host=a", PreferredMember::standby), "a:5432 standby\na:5432 any\n");
}

TEST(Route, RejectsDifferentNumbersOfHostsAndPorts) {
  EXPECT_THROW(routes("host=a,b,c port=1,2"), Error);
  EXPECT_THROW(routes("host=a,b hostaddr=10.0.0.1"), Error);
  EXPECT_THROW(routes("host=a target_session_attrs=primry"), Error);
}

}  // namespace
}  // namespace pgrehearse
