// Reads `notify`: a list of channels with their settings.
#pragma once

#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"
#include "harness/scenario/notification/notification_spec.hpp"

namespace pgrehearse {

std::vector<NotificationSpec> read_notifications(const YamlNode& node,
                                                 std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
