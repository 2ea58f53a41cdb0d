#include "harness/scenario/scenario_reference.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "checks/table.hpp"
#include "harness/scenario/scenario_keys.hpp"
#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

// The schema of a map is under "properties", that of recover_to as a map under anyOf.
const nlohmann::json& properties_of(const nlohmann::json& schema) {
  return schema.contains("properties") ? schema.at("properties")
                                       : schema.at("anyOf").at(1).at("properties");
}

void expect_keys(const nlohmann::json& schema, std::span<const KeyDescription> keys) {
  const auto& properties = properties_of(schema);
  EXPECT_EQ(properties.size(), keys.size());
  for (const auto& key : keys) {
    const std::string name(key.name);
    ASSERT_TRUE(properties.contains(name)) << name;
    EXPECT_THAT(properties.at(name).at("description").get<std::string>(),
                HasSubstr(std::string(key.summary)));
    if (!key.children.empty()) expect_keys(properties.at(name), key.children);
  }
}

TEST(ScenarioReference, SchemaListsEveryKeyAndEveryCheck) {
  const auto schema = nlohmann::json::parse(scenario_json_schema(fixture_checks()));
  expect_keys(schema, scenario_keys());
  EXPECT_EQ(schema.at("required"), nlohmann::json({"name", "repository"}));
  const auto& items = schema.at("properties").at("checks").at("items").at("anyOf");
  EXPECT_EQ(items.at(0).at("enum"), nlohmann::json({"amcheck", "page_checksums", "identity",
                                                    "patroni_bootstrap", "query"}));
  const auto& amcheck = items.at(1).at("properties").at("amcheck").at("properties");
  EXPECT_TRUE(amcheck.contains("heapallindexed"));
  EXPECT_TRUE(amcheck.contains("name"));
}

TEST(ScenarioReference, ExampleHasEveryKeyAndIsValid) {
  const std::string example = scenario_example();
  setenv("PATRONI_PASSWORD", "secret", 1);
  setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/secret", 1);
  EXPECT_EQ(errors_of(example), "");
  for (const auto& key : scenario_keys()) {
    EXPECT_THAT(example, HasSubstr(fmt::format("{}:", key.name)));
  }
  EXPECT_EQ(parse(example).checks.size(), 2U);
}

TEST(ScenarioReference, EveryExampleOfARecoveryTargetIsValid) {
  for (const auto& key : recovery_target_keys()) {
    const std::string edge = key.name == "exclusive" ? ", xid: 743" : "";
    const auto text =
        fmt::format("{}recover_to: {{ {}: {}{} }}\n", scenario_head, key.name, key.example, edge);
    EXPECT_EQ(errors_of(text), "") << text;
  }
}

// A scenario's text that asks for the check with the examples of its table.
std::string asking_for(const CheckDescription& check, std::span<const KeyDescription> keys) {
  std::string text = scenario_head;
  text += fmt::format("primary: {{ dsn: host=db1 }}\nchecks:\n  - {}:\n", check.name);
  for (const auto& key : keys) text += fmt::format("      {}: {}\n", key.name, key.example);
  return text;
}

TEST(ScenarioReference, EveryCheckAcceptsItsOwnExamples) {
  ASSERT_FALSE(check_table().empty());
  for (const auto& check : check_table()) {
    const auto text = asking_for(check, check.keys);
    try {
      parse_scenario(text, "s.yaml", {}, check_table());
    } catch (const ScenarioErrors& errors) {
      ADD_FAILURE() << errors.what() << "\n" << text;
    }
  }
}

TEST(ScenarioReference, PageListsEveryKeyCheckAndSetting) {
  const auto page = scenario_reference_markdown(fixture_checks());
  for (const auto& key : scenario_keys()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| `{}` |", key.name)));
    for (const auto& child : key.children)
      EXPECT_THAT(page, HasSubstr(fmt::format("| `{}` |", child.name)));
  }
  EXPECT_THAT(page, HasSubstr("### identity\n\nThe same. "));
  EXPECT_THAT(page, HasSubstr("| `expect.at_least` | number |"));
}

}  // namespace
}  // namespace pgrehearse
