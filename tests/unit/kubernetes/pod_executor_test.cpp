#include "harness/kubernetes/pod_executor.hpp"

#include <gmock/gmock.h>

#include "harness/kubernetes/pod_leftovers.hpp"
#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/scripted_command_runner.hpp"
#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

class PodExecutors : public testing::Test {
 protected:
  CallRecord calls_;
  ScriptedCommandRunner runner_;
  FakeRepository repository_{calls_};
  PodExecutor executor_{
      parse(scenario_head +
            "sandbox: { type: kubernetes, image: i, kubernetes: { storage: 3GB } }\n"),
      repository_, runner_, "/state"};
};

TEST_F(PodExecutors, TheManifestNeedsNeitherClusterNorRepository) {
  const auto yaml = executor_.manifest("run-1", "yaml", {});
  ASSERT_TRUE(yaml);
  EXPECT_THAT(*yaml, HasSubstr("kind: \"Job\""));
  EXPECT_THAT(executor_.manifest("run-1", "json", {}).value_or(""), HasSubstr("\"kind\": \"Job\""));
  EXPECT_TRUE(runner_.commands().empty());
  EXPECT_TRUE(calls_.calls().empty());
}

TEST_F(PodExecutors, RequirementsAreTheClusterAndTheVolume) {
  const auto requirements = executor_.requirements();
  ASSERT_EQ(requirements.size(), 2U);
  EXPECT_EQ(requirements[0].name, "cluster");
  EXPECT_EQ(requirements[1].name, "volume size");
  EXPECT_EQ(requirements[1].check({}), "3.0 GB");
}

TEST(PodLeftovers, AnEmptyRegistryHasNone) {
  ScriptedCommandRunner runner;
  PodLeftovers leftovers(runner, "/nonexistent/state");
  EXPECT_TRUE(leftovers.list().empty());
}

}  // namespace
}  // namespace pgrehearse
