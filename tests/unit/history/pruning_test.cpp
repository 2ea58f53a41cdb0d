#include "harness/history/pruning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/sample_rows.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<int> hours_of(const std::vector<LedgerRow>& rows) {
  std::vector<int> hours;
  for (const auto& row : rows) {
    const auto since = row.started - started_row(row.scenario, 0).started;
    hours.push_back(static_cast<int>(since / std::chrono::hours(1)));
  }
  return hours;
}

class Pruning : public testing::Test {
 protected:
  // Newest first; the newest pass is that of hour 3.
  std::vector<LedgerRow> rows_{failed_row("weekly", 5), failed_row("weekly", 4),
                               passed_row("weekly", 3), passed_row("weekly", 2),
                               passed_row("weekly", 1)};
};

TEST_F(Pruning, KeepsTheNewestDrillAndTheNewestPass) {
  EXPECT_THAT(hours_of(prunable(rows_, {.keep = 1})), ElementsAre(4, 2, 1));
  EXPECT_THAT(hours_of(prunable(rows_, {.keep = 4})), ElementsAre(1));
  EXPECT_THAT(hours_of(prunable(rows_, {.keep = 5})), IsEmpty());
}

TEST_F(Pruning, AgeAndNumberBothProtect) {
  const auto at = [](int hour) { return started_row("weekly", hour).started; };
  EXPECT_THAT(hours_of(prunable(rows_, {.before = at(2)})), ElementsAre(1));
  EXPECT_THAT(hours_of(prunable(rows_, {.before = at(9)})), ElementsAre(4, 2, 1));
  EXPECT_THAT(hours_of(prunable(rows_, {.before = at(9), .keep = 4})), ElementsAre(1));
}

TEST_F(Pruning, CountsEachScenarioAndNeverRemovesARunningDrill) {
  rows_.push_back(started_row("daily", 0));
  rows_.push_back(started_row("daily", 0));
  EXPECT_THAT(hours_of(prunable(rows_, {.keep = 2})), ElementsAre(2, 1));
}

}  // namespace
}  // namespace pgrehearse
