// Reads `recover_to`: `latest`, `immediate`, or a map with one target.
#pragma once

#include <vector>

#include "harness/repository/backup_repository.hpp"
#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

// Adds invalid values and combinations to `errors`.
RecoveryTarget read_recovery_target(const YamlNode& node, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
