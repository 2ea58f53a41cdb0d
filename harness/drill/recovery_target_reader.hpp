// recover_to: `latest`, `immediate`, or a map with one target.
#pragma once

#include <vector>

#include "harness/drill/scenario_errors.hpp"
#include "harness/drill/yaml_source.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// Adds to `errors` what is wrong or cannot be combined.
RecoveryTarget read_recovery_target(const YamlNode& node, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
