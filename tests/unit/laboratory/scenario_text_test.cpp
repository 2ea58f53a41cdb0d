#include "harness/laboratory/scenario_text.hpp"

#include <gtest/gtest.h>

#include "scenarios/embedded.hpp"

namespace pgrehearse {
namespace {

TEST(ScenarioText, EveryOccurrenceIsReplacedAndUnknownPlaceholdersStay) {
  EXPECT_EQ(expand_scenario("a @x@ b @x@ @y@", {{"x", "1"}}), "a 1 b 1 @y@");
}

TEST(ScenarioText, ValueMayContainAPlaceholder) {
  EXPECT_EQ(expand_scenario("@x@", {{"x", "@x@@x@"}}), "@x@@x@");
}

TEST(ScenarioText, DemoTemplateUsesOnlyKnownPlaceholders) {
  const auto text = expand_scenario(
      embedded::demo_scenario_yaml,
      {{"name", ""}, {"stanza", ""}, {"configuration", ""}, {"dsn", ""}, {"account", ""}});
  EXPECT_EQ(text.find('@', text.find("name:")), std::string::npos) << text;
}

}  // namespace
}  // namespace pgrehearse
