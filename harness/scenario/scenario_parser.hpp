// Turns a scenario file and its overrides into a Scenario, or reports all errors in them.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "harness/scenario/check_description.hpp"
#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// `overrides`: "key=value" each, as given with --set. Throws ScenarioErrors.
Scenario load_scenario(const std::filesystem::path& file, std::span<const std::string> overrides,
                       std::span<const CheckDescription> checks);
// The text of a scenario file. Throws ScenarioErrors.
std::string read_scenario_text(const std::filesystem::path& file);
// `file_name` is used in messages and becomes Scenario::file.
Scenario parse_scenario(const std::string& text, const std::string& file_name,
                        std::span<const std::string> overrides,
                        std::span<const CheckDescription> checks);

}  // namespace pgrehearse
