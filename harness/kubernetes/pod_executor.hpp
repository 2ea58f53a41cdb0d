// Runs drills in pods of a Kubernetes cluster.
#pragma once

#include <filesystem>

#include "harness/drill/drill_executor.hpp"

namespace pgrehearse {

class PodExecutor : public DrillExecutor {
 public:
  // `repository` and `runner`, which runs kubectl, outlive the executor.
  PodExecutor(Scenario scenario, BackupRepository& repository, CommandRunner& runner,
              std::filesystem::path state)
      : scenario_(std::move(scenario)),
        repository_(repository),
        runner_(runner),
        state_(std::move(state)) {}

  // Only the pod needs access to the repository, unless the size of its volume is not set.
  std::vector<Requirement> requirements() override;
  Report run(const DrillServices& services, const ExecutionOptions& options,
             std::stop_token stop) override;
  std::optional<std::string> manifest(const std::string& run_id, std::string_view format,
                                      std::stop_token stop) override;

 private:
  Scenario scenario_;
  BackupRepository& repository_;
  CommandRunner& runner_;
  std::filesystem::path state_;
};

}  // namespace pgrehearse
