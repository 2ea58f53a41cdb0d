#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/common/error.hpp"
#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {
namespace {

class Laboratories : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "laboratories-XXXXXX";
    state = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(state); }

  RegistryEntry make(const std::string& id, const std::string& type) const {
    const auto root = state / id;
    std::filesystem::create_directory(root);
    return {.run_id = id,
            .type = type,
            .host = host_name(),
            .boot_id = boot_id(),
            .account = current_account().name,
            .root = root};
  }

  std::filesystem::path state;
};

TEST_F(Laboratories, ADeadOneIsFoundAndRemoved) {
  const auto entry = make("demo-1", "laboratory");
  { const auto owned = Registry(state).publish(entry); }
  const auto found = list_laboratories(state);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].run_id, "demo-1");
  EXPECT_FALSE(found[0].alive);
  EXPECT_TRUE(remove_laboratory(state, found[0]).complete());
  EXPECT_FALSE(std::filesystem::exists(entry.root));
  EXPECT_TRUE(list_laboratories(state).empty());
}

TEST_F(Laboratories, ALiveOneIsNeverRemoved) {
  const auto entry = make("demo-1", "laboratory");
  const auto owned = Registry(state).publish(entry);
  const auto found = list_laboratories(state);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].alive);
  EXPECT_THROW(remove_laboratory(state, found[0]), Error);
  EXPECT_TRUE(std::filesystem::exists(entry.root));
}

TEST_F(Laboratories, TheSandboxOfADrillIsNone) {
  const auto owned = Registry(state).publish(make("run-1", "local"));
  EXPECT_TRUE(list_laboratories(state).empty());
}

}  // namespace
}  // namespace pgrehearse
