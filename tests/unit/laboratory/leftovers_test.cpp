#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "harness/common/error.hpp"
#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {
namespace {

class Laboratories : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "laboratories-XXXXXX";
    directory = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  std::filesystem::path make(const std::string& id) const {
    const auto root = laboratory_root(directory, id);
    std::filesystem::create_directory(root);
    std::ofstream(root / "laboratory.json") << "{}";
    return root;
  }

  std::filesystem::path directory;
};

TEST_F(Laboratories, ADeadOneIsFoundAndRemoved) {
  const auto root = make("abc");
  const auto found = list_laboratories(directory);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].run_id, "abc");
  EXPECT_FALSE(found[0].alive);
  EXPECT_FALSE(found[0].kept);
  EXPECT_TRUE(remove_laboratory(found[0]).complete());
  EXPECT_FALSE(std::filesystem::exists(root));
}

TEST_F(Laboratories, ALiveOneIsNeverRemoved) {
  const auto root = make("abc");
  const OwnerLock owner(root / "owner.lock");
  ASSERT_TRUE(owner.held());
  const auto found = list_laboratories(directory);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].alive);
  EXPECT_THROW(remove_laboratory(found[0]), Error);
  EXPECT_TRUE(std::filesystem::exists(root));
}

TEST_F(Laboratories, OtherDirectoriesAreNone) {
  std::filesystem::create_directory(directory / "demo-notes");
  std::filesystem::create_directory(directory / "runs");
  std::ofstream(directory / "demo-file") << "x";
  EXPECT_TRUE(list_laboratories(directory).empty());
}

TEST_F(Laboratories, AKeptOneSaysSo) {
  std::ofstream(make("abc") / "kept") << "";
  EXPECT_TRUE(list_laboratories(directory).at(0).kept);
}

}  // namespace
}  // namespace pgrehearse
