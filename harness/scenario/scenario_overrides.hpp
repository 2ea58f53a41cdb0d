// --set key=value: changes the scenario's tree before validation.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

// Keys are dotted, the value is YAML. A recovery target replaces the one in the file.
void apply_override(YamlNode& root, const std::string& text, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
