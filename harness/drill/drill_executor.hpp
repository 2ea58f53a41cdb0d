// Where a drill runs: in this process, or elsewhere. The wiring chooses one for each scenario.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/drill/run_drill.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

struct ExecutionOptions {
  bool keep = false;  // the recovered instance
  // The caller requests a stop after this time.
  std::optional<std::chrono::milliseconds> timeout;
};

class DrillExecutor {
 public:
  virtual ~DrillExecutor() = default;

  struct Requirement {
    std::string name;   // "repository readable"
    std::string needs;  // another requirement: if it is not met, this one is not checked
    // Returns a description of what it found. Throws Error if the requirement is not met.
    std::function<std::string(const std::stop_token& stop)> check;
  };
  // What `doctor` checks, each after those that it depends on. Valid as long as the executor.
  virtual std::vector<Requirement> requirements() = 0;
  // As run_drill().
  virtual Report run(const DrillServices& services, const ExecutionOptions& options,
                     std::stop_token stop) = 0;
  // The objects that a drill creates in a cluster, in `format` ("json", else YAML); nullopt if it
  // creates none. Throws Error(environment).
  virtual std::optional<std::string> manifest(const std::string& run_id, std::string_view format,
                                              std::stop_token stop) = 0;
};

}  // namespace pgrehearse
