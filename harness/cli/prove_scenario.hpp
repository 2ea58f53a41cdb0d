// The catalogue against somebody's own scenario: his repository is copied, the copy is damaged, his
// drill has to notice.
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
  std::filesystem::path directory;     // where copies are made; empty: the state directory
  int jobs = 0;                        // 0: by processors and free space
  std::size_t clean_runs = 1;          // the control included
  std::function<void(const std::string& line)> say;
};

// Throws Error(usage) when the scenario or its repository cannot be used for this.
ProofScore prove_scenario(const ScenarioProofRequest& request, const std::vector<Fault>& faults,
                          const CommonOptions& common, const std::stop_token& stop);

// One drill of a proof: its records stay below `state`, apart from its owner's history. What `run`
// would refuse to begin is a report as well.
Report rehearse_quietly(const Scenario& scenario, std::chrono::milliseconds timeout,
                        const std::filesystem::path& state, std::stop_token stop);

}  // namespace pgrehearse
