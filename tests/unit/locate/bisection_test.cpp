#include "harness/locate/bisection.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace pgrehearse {
namespace {

TEST(FirstFalse, FindsEveryPositionWithFewQuestions) {
  for (const std::size_t count : {1U, 2U, 3U, 10U, 1000U}) {
    for (std::size_t wanted = 0; wanted<count; wanted += count> 50 ? 97 : 1) {
      std::size_t questions = 0;
      const auto found = first_false(count, [&](std::size_t at) {
        ++questions;
        return at < wanted;
      });
      EXPECT_EQ(found, wanted) << count;
      EXPECT_LE(questions, std::log2(static_cast<double>(count)) + 2) << count;
    }
    EXPECT_EQ(first_false(count, [](std::size_t) { return true; }), std::nullopt);
  }
  EXPECT_EQ(first_false(0, [](std::size_t) { return false; }), std::nullopt);
}

}  // namespace
}  // namespace pgrehearse
