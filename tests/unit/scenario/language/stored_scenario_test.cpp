#include "harness/scenario/language/stored_scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string stored(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  std::vector<ScenarioError> errors;
  auto root = parse_yaml(yaml, {.name = "weekly.yaml"}, errors);
  EXPECT_TRUE(errors.empty());
  return stored_scenario(root, "weekly.yaml", overrides);
}

TEST(StoredScenario, IsYamlWithTheSameContent) {
  const std::string yaml =
      "name: weekly\nchecks: [startup, { amcheck: { heapallindexed: true } }, { query: { sql: "
      "\"select 'a: b'\\n\" } }]\nempty: {}\nlist: []\nnothing:\nnumber: \"12\"\n";
  const auto text = stored(yaml);
  std::vector<ScenarioError> errors;
  const auto again = parse_yaml(text, {.name = "stored"}, errors);
  ASSERT_TRUE(errors.empty()) << text << errors.front().message;
  EXPECT_EQ(again.find("name")->value.text, "weekly");
  const auto& checks = again.find("checks")->value;
  ASSERT_EQ(checks.items.size(), 3U) << text;
  EXPECT_EQ(checks.items[1].find("amcheck")->value.find("heapallindexed")->value.text, "true");
  EXPECT_EQ(checks.items[2].find("query")->value.find("sql")->value.text, "select 'a: b'\n");
  EXPECT_TRUE(again.find("number")->value.quoted);
  EXPECT_EQ(stored(text).substr(stored(text).find("name:")), text.substr(text.find("name:")));
}

TEST(StoredScenario, ContainsNoPassword) {
  const auto text = stored(
      "primary:\n  dsn: \"host=db1 password=hunter2secret user=x\"\n"
      "  patroni: { password: hunter2secret, username: u }\n"
      "ledger: { dsn: \"postgresql://u:hunter2secret@db/ledger\" }\n"
      "other: { dsn: \"host=db password = 'hunter2secret \\\\' x'\" }\n");
  EXPECT_THAT(text, Not(HasSubstr("hunter2secret")));
  EXPECT_THAT(text, HasSubstr("host=db1 password=*** user=x"));
  EXPECT_THAT(text, HasSubstr("postgresql://u:***@db/ledger"));
}

TEST(StoredScenario, VariablesOfTheEnvironmentRemainNames) {
  std::vector<ScenarioError> errors;
  setenv("STORED_SCENARIO_SECRET", "hunter2secret", 1);
  auto root = parse_yaml("a: { password: \"${STORED_SCENARIO_SECRET}\" }\n", {.name = "x"}, errors);
  expand_environment(root, errors);
  const auto text = stored_scenario(root, "x", {});
  EXPECT_THAT(text, HasSubstr("${STORED_SCENARIO_SECRET}"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2secret")));
}

TEST(StoredScenario, OverridesAreNamedWithoutTheirValues) {
  EXPECT_THAT(stored("name: a\n", {"primary.dsn=password=hunter2secret"}),
              testing::AllOf(HasSubstr("# --set \"primary.dsn\"\n"), Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace pgrehearse
