// The settings of the check `comparison`.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "harness/primary/fingerprint/capture.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

// How a relation that matches a pattern of `tables` is compared.
enum class TableRule { exclude, count_only, full };

struct ComparisonRules {
  std::string against = "primary";  // or a file
  double sample = 0;                // 0.01 is one percent; 0: everything is read
  double tolerance = 0;
  bool drill_down = false;
  bool uncompared_passes = false;
  std::size_t keys = 20;
  FingerprintBudget budget;
  // By pattern on database.schema.relation; the longest that matches wins.
  std::map<std::string, TableRule> tables;
};

std::span<const KeyDescription> comparison_keys();
// Throws Error(usage).
ComparisonRules comparison_rules_of(const Settings& settings);
// What the capture needs of it.
FingerprintRules fingerprint_rules_of(const ComparisonRules& rules);

}  // namespace pgrehearse
