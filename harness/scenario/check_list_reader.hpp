// Reads `checks`: a list of names, or of names with settings.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/scenario/check_description.hpp"
#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"
#include "harness/scenario/sandbox_kinds.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// What the rest of the scenario says.
struct CheckListSurroundings {
  bool has_primary = false;
  std::string sandbox_type = std::string(default_sandbox_type);
};

// Validates settings against the check's own table, and by creating the check once.
std::vector<CheckRequest> read_check_list(const YamlNode& node,
                                          const CheckListSurroundings& scenario,
                                          std::span<const CheckDescription> checks,
                                          std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
