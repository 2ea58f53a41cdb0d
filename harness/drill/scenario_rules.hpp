// What a scenario's values must be beyond their kind.
#pragma once

#include <vector>

#include "harness/drill/scenario_errors.hpp"
#include "harness/drill/settings.hpp"
#include "harness/drill/yaml_source.hpp"

namespace pgrehearse {

// `settings`: what read_section() made of `root`.
void check_scenario_rules(const YamlNode& root, const Settings& settings,
                          std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
