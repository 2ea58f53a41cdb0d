#include "harness/primary/fingerprint/sequence_reading.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

SequenceState state(std::string name, std::int64_t value) {
  return {.name = std::move(name), .before = SequenceReading{.last_value = value, .called = true}};
}

TEST(SequenceReading, CombinesTwoReadings) {
  const auto merged = merge_readings({state("a", 1), state("b", 2), state("d", 4)},
                                     {state("b", 20), state("c", 30), state("d", 40)});
  ASSERT_EQ(merged.size(), 4U);
  EXPECT_EQ(merged[0].name, "a");
  EXPECT_EQ(merged[0].before->last_value, 1);
  EXPECT_FALSE(merged[0].after);
  EXPECT_EQ(merged[1].before->last_value, 2);
  EXPECT_EQ(merged[1].after->last_value, 20);
  EXPECT_EQ(merged[2].name, "c");
  EXPECT_FALSE(merged[2].before);
  EXPECT_EQ(merged[2].after->last_value, 30);
  EXPECT_EQ(merged[3].after->last_value, 40);
}

}  // namespace
}  // namespace pgrehearse
