#include "harness/drill/in_process_executor.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_provisioner.hpp"
#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/scripted_command_runner.hpp"

namespace pgrehearse {
namespace {

class InProcessExecutors : public testing::Test {
 protected:
  CallRecord calls_;
  ScriptedCommandRunner runner_;
  FakeRepository repository_{calls_};
  FakeProvisioner provisioner_{calls_, runner_};
  Scenario scenario_{.name = "weekly"};
};

TEST_F(InProcessExecutors, RequirementsAreTheStepsOfThePreparation) {
  InProcessExecutor executor(scenario_, {.repository = repository_, .provisioner = &provisioner_},
                             "/state");
  const auto requirements = executor.requirements();
  ASSERT_EQ(requirements.size(), Preparation::steps().size());
  for (std::size_t row = 0; row < requirements.size(); ++row) {
    EXPECT_EQ(requirements[row].name, Preparation::steps()[row].name);
    EXPECT_EQ(requirements[row].needs, Preparation::steps()[row].needs);
    if (requirements[row].name == "backup tool") {
      EXPECT_EQ(requirements[row].check({}), "pgBackRest 2.45");
    }
  }
}

TEST_F(InProcessExecutors, ThereIsNoManifest) {
  InProcessExecutor executor(scenario_, {.repository = repository_, .provisioner = &provisioner_},
                             "/state");
  EXPECT_EQ(executor.manifest("run-1", "yaml", {}), std::nullopt);
}

TEST_F(InProcessExecutors, WithoutAProvisionerBinariesAreNotChecked) {
  Preparation preparation(scenario_, {.repository = repository_}, "/state");
  for (const auto& step : Preparation::steps()) {
    if (step.name == "account") continue;  // depends on the host
    EXPECT_NO_THROW((preparation.*step.take)({})) << step.name;
  }
  EXPECT_TRUE(preparation.programs.empty());
}

}  // namespace
}  // namespace pgrehearse
