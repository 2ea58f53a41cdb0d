// Runs drills in this process, with a sandbox on this host.
#pragma once

#include "harness/drill/drill_executor.hpp"
#include "harness/drill/preparation.hpp"

namespace pgrehearse {

class InProcessExecutor : public DrillExecutor {
 public:
  // The parts outlive the executor.
  InProcessExecutor(Scenario scenario, const Preparation::Parts& parts,
                    const std::filesystem::path& state)
      : scenario_(std::move(scenario)), preparation_(scenario_, parts, state) {}
  InProcessExecutor(const InProcessExecutor&) = delete;
  InProcessExecutor& operator=(const InProcessExecutor&) = delete;

  std::vector<Requirement> requirements() override;
  Report run(const DrillServices& services, const ExecutionOptions& options,
             std::stop_token stop) override;
  std::optional<std::string> manifest(const std::string& run_id, std::string_view format,
                                      std::stop_token stop) override;

 private:
  Scenario scenario_;
  Preparation preparation_;
};

}  // namespace pgrehearse
