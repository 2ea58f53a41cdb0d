// The verdict and summary of a comparison.
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
  // Totals of the compared databases; those that could not be compared are gaps.
  std::vector<DatabaseFingerprint> points;
};

// Differences fail where the point was exact or a tolerance was stated, otherwise they make the
// verdict unknown. So do objects that could not be read, unless the rules allow that, and a
// comparison of nothing.
CheckOutcome outcome_of(ComparisonResult result, const ComparisonRules& rules);

// Differences first, then the largest; the list is limited.
void set_tables(ComparisonRecord& record, std::vector<ComparedTable> tables);

// The report's `comparison`.
ComparisonRecord record_of(const std::vector<DatabaseFingerprint>& points);

}  // namespace pgrehearse
