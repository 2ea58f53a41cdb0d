// The scenario's section `schedule`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/settings.hpp"
#include "harness/scenario/language/yaml_source.hpp"
#include "harness/serve/schedule/schedule.hpp"

namespace pgrehearse {

// `settings` has the keys of the section `node` as "schedule.cron" and so on, as far as they are
// valid. `name`: of the scenario. nullopt if an error was added, or was reported before.
std::optional<Schedule> read_schedule(const YamlNode& node, const Settings& settings,
                                      const std::string& name, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
