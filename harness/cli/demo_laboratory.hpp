// Builds the demo's laboratory and reports each step.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

struct DemoSpec {
  std::filesystem::path state;
  std::filesystem::path directory;  // parent directory of the laboratory; empty: `state`
  double size_factor = 1;
};

// Receives one line of progress at a time.
using DemoLine = std::function<void(const std::string&)>;

// Builds a primary, a repository, a full and an incremental backup with a workload after each, and
// writes the scenario to <root>/demo.yaml. Throws Error and then leaves nothing behind.
std::unique_ptr<Laboratory> build_demo(const DemoSpec& spec, CommandRunner& runner,
                                       const DemoLine& say, const std::stop_token& stop);
std::filesystem::path demo_scenario_file(const Laboratory& laboratory);

// The scenario with placeholder values, used to validate overrides before the laboratory exists.
std::string demo_scenario_outline();

// Unsets PGBACKREST_* variables: they take precedence over configuration files and could direct the
// demo to a production repository. Call before any other thread reads the environment.
void unset_pgbackrest_variables(const DemoLine& say);

}  // namespace pgrehearse
