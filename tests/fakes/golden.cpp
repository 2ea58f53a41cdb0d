#include "tests/fakes/golden.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace pgrehearse {

void expect_golden(const std::string& name, const std::string& actual) {
  const auto path = std::filesystem::path(PGREHEARSE_GOLDEN_DIRECTORY) / name;
  if (std::getenv("PGREHEARSE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path;
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(actual, expected) << "golden file " << path;
}

}  // namespace pgrehearse
