// The last observation of each scenario's repository, in <state>/observations: what drills and
// other scenarios export next includes it.
#pragma once

#include <filesystem>
#include <string>

#include "harness/serve/metrics/sample.hpp"

namespace pgrehearse {

// Throws Error(environment, env_report_file).
void save_observation(const std::filesystem::path& state, const std::string& scenario,
                      const MetricSamples& samples);

// Empty if there is none, or it cannot be read.
MetricSamples load_observation(const std::filesystem::path& state, const std::string& scenario);
// Those of all scenarios, the newest first.
MetricSamples load_observations(const std::filesystem::path& state);

}  // namespace pgrehearse
