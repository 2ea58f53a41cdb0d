#include <gmock/gmock.h>

#include "tests/unit/cli/run_cli.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

TEST(MapCommand, AcceptsAScenarioOrAStanzaNotBoth) {
  const auto neither = run_cli({"map"});
  EXPECT_EQ(neither.exit_code, 3);
  EXPECT_THAT(neither.error_output, HasSubstr("no scenario or stanza given"));
  const auto both = run_cli({"map", "weekly.yaml", "--stanza", "orders"});
  EXPECT_EQ(both.exit_code, 3);
  EXPECT_THAT(both.error_output, HasSubstr("--set repository.stanza=NAME"));
  const auto change_of_nothing = run_cli({"map", "--stanza", "orders", "--set", "a=b"});
  EXPECT_EQ(change_of_nothing.exit_code, 3);
  EXPECT_THAT(change_of_nothing.error_output, HasSubstr("--set requires a scenario"));
  EXPECT_EQ(run_cli({"map", "weekly.yaml", "--format", "png"}).exit_code, 3);
}

}  // namespace
}  // namespace pgrehearse
