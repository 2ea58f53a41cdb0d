// Proves a user's scenario: faults are injected into copies of its repository, and its drill must
// detect them.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/faults/proof/proof.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct ScenarioProofRequest {
  std::filesystem::path scenario;
  std::vector<std::string> overrides;  // as with `run --set`
  std::filesystem::path directory;     // parent directory of the copies; empty: the state directory
  int jobs = 0;                        // 0: depends on CPUs and free space
  std::size_t clean_runs = 1;          // including the control run
  std::function<void(const std::string& line)> say;
};

// Throws Error(usage) if the scenario or its repository cannot be used.
ProofScore prove_scenario(const ScenarioProofRequest& request, const std::vector<Fault>& faults,
                          const CommonOptions& common, const std::stop_token& stop);

// One drill of a proof, recorded below `state` and not in the user's history. Errors before the
// drill starts become a report as well.
Report run_silent_drill(const Scenario& scenario, std::chrono::milliseconds timeout,
                        const std::filesystem::path& state, std::stop_token stop);

}  // namespace pgrehearse
