// Rules for values beyond their kind.
#pragma once

#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/settings.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

// `settings`: the result of read_section() for `root`.
void check_scenario_rules(const YamlNode& root, const Settings& settings,
                          std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
