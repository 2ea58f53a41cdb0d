// From what a comparison found to a verdict and its one line.
#pragma once

#include <string>
#include <vector>

#include "checks/comparison/comparison_rules.hpp"
#include "checks/comparison/database_comparison.hpp"
#include "harness/drill/check.hpp"

namespace pgrehearse {

struct ComparisonResult {
  std::vector<Finding> findings;
  ComparisonTally tally;
  // Of the databases that were compared; those that should have been and were not are gaps.
  std::vector<DatabaseFingerprint> points;
};

// Differences fail where the point was exact or a tolerance was stated, otherwise nobody can tell.
// What could not be read makes it unknown unless the rules let it pass. Nothing compared: unknown.
CheckOutcome outcome_of(ComparisonResult result, const ComparisonRules& rules);

// The report's `comparison`.
ComparisonRecord record_of(const std::vector<DatabaseFingerprint>& points);

}  // namespace pgrehearse
