#include "harness/scenario/sandbox_kinds.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "harness/scenario/scenario_keys.hpp"
#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

std::set<std::string_view> keys_of_section() {
  std::set<std::string_view> names;
  for (const auto& section : scenario_keys()) {
    if (section.name != "sandbox") continue;
    for (const auto& key : section.children) names.insert(key.name);
  }
  return names;
}

TEST(SandboxKinds, TheTableAndTheSectionHaveTheSameKeys) {
  std::set<std::string_view> in_table{"type"};
  for (const auto& kind : sandbox_kinds) in_table.insert(kind.keys.begin(), kind.keys.end());
  EXPECT_EQ(in_table, keys_of_section());
}

TEST(SandboxKinds, EveryTypeIsAcceptedByScenarios) {
  for (const auto& kind : sandbox_kinds) {
    const std::string image = kind.type == "kubernetes" ? ", image: i" : "";
    EXPECT_EQ(
        errors_of(fmt::format("{}sandbox: {{ type: {}{} }}\n", scenario_head, kind.type, image)),
        "");
  }
}

TEST(SandboxKinds, EachKindHasItsOwnOptions) {
  const auto spec = [](std::string_view type) {
    return parse(fmt::format("{}sandbox: {{ type: {}, image: /i }}\n", scenario_head, type));
  };
  EXPECT_TRUE(std::holds_alternative<LocalOptions>(parse(scenario_head).sandbox.options));
  EXPECT_EQ(options_of<ContainerOptions>(spec("podman").sandbox).image, "/i");
  EXPECT_EQ(options_of<VmOptions>(spec("vm").sandbox).image, "/i");
  ASSERT_TRUE(spec("kubernetes").kubernetes);
  EXPECT_EQ(spec("kubernetes").kubernetes->image, "/i");
  EXPECT_FALSE(spec("docker").kubernetes);
}

TEST(SandboxKinds, OptionsOfAnotherKindAreABug) {
  EXPECT_THROW(options_of<VmOptions>(SandboxSpec{}), Error);
}

TEST(SandboxKinds, AKeyOfAnotherKindIsAnErrorWithLineAndHint) {
  EXPECT_EQ(errors_of(scenario_head + "sandbox:\n  type: vm\n  engine: unix:///x\n"),
            "s.yaml:5:3: 'engine' cannot be used with sandbox.type: vm | remove it, or set type to "
            "docker or podman\n");
  EXPECT_THAT(errors_of(scenario_head + "sandbox: { disk: 1GB }\n"),
              HasSubstr("'disk' cannot be used with sandbox.type: local"));
  EXPECT_THAT(errors_of(scenario_head, {"sandbox.checksum=sha256:0"}),
              HasSubstr("--set sandbox.checksum=sha256:0: 'checksum' cannot be used"));
}

TEST(SandboxKinds, KeysInTheFileAreIgnoredIfAnOverrideReplacesTheType) {
  const auto text = scenario_head + "sandbox: { type: docker, engine: \"unix:///x\", cpus: 2 }\n";
  const auto scenario = parse(text, {"sandbox.type=local"});
  EXPECT_TRUE(std::holds_alternative<LocalOptions>(scenario.sandbox.options));
  EXPECT_EQ(scenario.sandbox.cpus, 2);
  EXPECT_THAT(errors_of(text, {"sandbox.type=vm", "sandbox.egress=none"}),
              HasSubstr("'egress' cannot be used with sandbox.type: vm"));
}

TEST(SandboxKinds, MessagesNameTheTypesThatUseAKey) {
  EXPECT_EQ(limited_to("engine"), "docker, podman");
  EXPECT_EQ(limited_to("memory"), "");
  EXPECT_EQ(limited_to("type"), "");
  EXPECT_THROW(sandbox_kind("lxc"), Error);
}

}  // namespace
}  // namespace pgrehearse
