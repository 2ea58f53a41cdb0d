// The answers are etcd 3.4's, about clusters of Patroni 3.0.2.
#include "checks/parsers/patroni_keys.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

// /pgrehearse/x/initialize: 7713286911106698890, /pgrehearse/x/leader: a,
// /pgrehearse/x/members/a: {"state":"running","role":"master"},
// /pgrehearse/x/members/b: {"state":"streaming","role":"replica"}
constexpr auto complete = R"({"header":{"revision":"9"},"kvs":[
{"key":"L3BncmVoZWFyc2UveC9pbml0aWFsaXpl","value":"NzcxMzI4NjkxMTEwNjY5ODg5MA=="},
{"key":"L3BncmVoZWFyc2UveC9sZWFkZXI=","value":"YQ=="},
{"key":"L3BncmVoZWFyc2UveC9tZW1iZXJzL2E=","value":"eyJzdGF0ZSI6InJ1bm5pbmciLCJyb2xlIjoibWFzdGVyIn0="},
{"key":"L3BncmVoZWFyc2UveC9tZW1iZXJzL2I=","value":"eyJzdGF0ZSI6InN0cmVhbWluZyIsInJvbGUiOiJyZXBsaWNhIn0="}
],"count":"4"})";

TEST(PatroniKeys, NamesTheLeaderAndTheMembers) {
  const auto keys = parse_patroni_keys(complete);
  EXPECT_EQ(keys.leader, "a");
  EXPECT_EQ(keys.system_identifier, "7713286911106698890");
  ASSERT_EQ(keys.members.size(), 2U);
  EXPECT_TRUE(keys.members.at("a").leads());
  EXPECT_TRUE(keys.members.at("a").runs());
  EXPECT_FALSE(keys.members.at("b").leads());
  EXPECT_TRUE(keys.members.at("b").runs());
}

TEST(PatroniKeys, NewerReleasesCallTheLeaderPrimary) {
  PatroniKeys::Member member{.role = "primary", .state = "starting"};
  EXPECT_TRUE(member.leads());
  EXPECT_FALSE(member.runs());
}

TEST(PatroniKeys, NothingIsStoredBeforePatroniStarts) {
  const auto keys = parse_patroni_keys(R"({"header":{"revision":"1"}})");
  EXPECT_EQ(keys.leader, "");
  EXPECT_TRUE(keys.members.empty());
}

TEST(PatroniKeys, OtherAnswersAreRefused) {
  for (const auto* body :
       {"", "[]", "{}", "404 page not found", R"({"header":{},"kvs":{}})",
        R"({"header":{},"kvs":[1]})", R"({"header":{},"kvs":[{"key":"*","value":""}]})"}) {
    EXPECT_EQ(error_of([&] { parse_patroni_keys(body); }).kind(), ErrorKind::environment) << body;
  }
}

TEST(PatroniKeys, RequestNamesTheRangeOfAPrefix) {
  // "/p/x/" to "/p/x0"
  EXPECT_EQ(keys_below("/p/x/"), R"({"key":"L3AveC8=","range_end":"L3AveDA="})");
}

}  // namespace
}  // namespace pgrehearse
