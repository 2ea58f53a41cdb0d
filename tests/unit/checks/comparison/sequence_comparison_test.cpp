#include "checks/comparison/sequence_comparison.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pgrehearse {
namespace {

SequenceReading reading(std::int64_t last, std::int64_t ahead = 0, bool called = true) {
  return {.last_value = last, .logged_ahead = ahead, .called = called, .file_node = 1};
}

SequenceVerdict verdict(const SequenceReading& before, const SequenceReading& after,
                        const SequenceReading& actual, std::int64_t increment = 1) {
  return compare_sequence({.increment = increment, .before = before, .after = after}, actual);
}

// Every expectation here is PostgreSQL's own arithmetic: nextval() writes last + 32 to the WAL.
TEST(SequenceComparison, TheWalIsAheadOfThePage) {
  const auto idle = reading(100, 10);
  EXPECT_EQ(verdict(idle, idle, reading(110)), SequenceVerdict::same);
  EXPECT_EQ(verdict(idle, idle, reading(100, 10)),
            SequenceVerdict::same);  // from the backup's page
  EXPECT_EQ(verdict(idle, idle, reading(109)), SequenceVerdict::below);
  EXPECT_EQ(verdict(idle, idle, reading(111)), SequenceVerdict::above);
}

TEST(SequenceComparison, ABusyOneMayBeAnywhereInBetween) {
  const auto before = reading(100, 10);
  const auto after = reading(200, 20);
  EXPECT_EQ(verdict(before, after, reading(110)), SequenceVerdict::same);
  EXPECT_EQ(verdict(before, after, reading(176)), SequenceVerdict::same);
  EXPECT_EQ(verdict(before, after, reading(220)), SequenceVerdict::same);
  EXPECT_EQ(verdict(before, after, reading(100)), SequenceVerdict::below);
  EXPECT_EQ(verdict(before, after, reading(221)), SequenceVerdict::above);
}

TEST(SequenceComparison, OneThatWasNeverCalledIsBeforeItsStart) {
  const auto fresh = reading(1, 0, false);
  EXPECT_EQ(verdict(fresh, fresh, fresh), SequenceVerdict::same);
  EXPECT_EQ(verdict(fresh, fresh, reading(1)), SequenceVerdict::above);
  const auto used = reading(1, 32);
  EXPECT_EQ(verdict(used, used, fresh), SequenceVerdict::below);
}

TEST(SequenceComparison, CountsDownAndToTheEnd) {
  const auto down = reading(-100, 10);
  EXPECT_EQ(verdict(down, down, reading(-120), -2), SequenceVerdict::same);
  EXPECT_EQ(verdict(down, down, reading(-118), -2), SequenceVerdict::below);
  const auto most = std::numeric_limits<std::int64_t>::max();
  const auto full = reading(most);
  EXPECT_EQ(verdict(full, full, reading(most)), SequenceVerdict::same);
  EXPECT_EQ(verdict(full, full, reading(most - 1)), SequenceVerdict::below);
}

TEST(SequenceComparison, ARestartedSequenceCannotBeCompared) {
  EXPECT_EQ(verdict(reading(500), reading(10), reading(10)), SequenceVerdict::not_comparable);
  auto restarted = reading(1);
  restarted.file_node = 2;
  EXPECT_EQ(verdict(reading(1), restarted, reading(1)), SequenceVerdict::not_comparable);
  EXPECT_EQ(
      compare_sequence({.cycles = true, .before = reading(9), .after = reading(10)}, reading(1)),
      SequenceVerdict::not_comparable);
  EXPECT_EQ(compare_sequence({.before = {}, .after = reading(10)}, reading(10)),
            SequenceVerdict::not_comparable);
}

}  // namespace
}  // namespace pgrehearse
