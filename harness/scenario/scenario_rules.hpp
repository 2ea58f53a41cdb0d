// What a scenario's values must be beyond their kind.
#pragma once

#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/settings.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

// `settings`: what read_section() made of `root`.
void check_scenario_rules(const YamlNode& root, const Settings& settings,
                          std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
