#include "harness/drill/in_process_executor.hpp"

namespace pgrehearse {

std::vector<DrillExecutor::Requirement> InProcessExecutor::requirements() {
  std::vector<Requirement> requirements;
  for (const auto& step : Preparation::steps()) {
    requirements.push_back({.name = std::string(step.name),
                            .needs = std::string(step.needs),
                            .check = [this, take = step.take](const std::stop_token& stop) {
                              return (preparation_.*take)(stop);
                            }});
  }
  return requirements;
}

Report InProcessExecutor::run(const DrillServices& services, const ExecutionOptions& options,
                              std::stop_token stop) {
  return run_drill(scenario_, services, options.keep, std::move(stop));
}

std::optional<std::string> InProcessExecutor::manifest(const std::string& /*run_id*/,
                                                       std::string_view /*format*/,
                                                       std::stop_token /*stop*/) {
  return {};
}

}  // namespace pgrehearse
