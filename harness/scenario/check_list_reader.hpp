// Reads `checks`: a list of names, or of names with settings.
#pragma once

#include <span>
#include <vector>

#include "harness/scenario/check_description.hpp"
#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// Validates settings against the check's own table, and by creating the check once.
std::vector<CheckRequest> read_check_list(const YamlNode& node, bool has_primary,
                                          std::span<const CheckDescription> checks,
                                          std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
