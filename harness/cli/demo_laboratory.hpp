// The laboratory as the demo builds it, step by step, with a line about each.
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
  std::filesystem::path directory;  // the laboratory is made below it; empty: `state`
  double size_factor = 1;
};

// Receives one calm line at a time.
using DemoLine = std::function<void(const std::string&)>;

// Builds primary, repository, a full and an incremental backup with work after each, and writes
// the scenario to <root>/demo.yaml. Throws Error; then nothing is left.
std::unique_ptr<Laboratory> build_demo(const DemoSpec& spec, CommandRunner& runner,
                                       const DemoLine& say, const std::stop_token& stop);
std::filesystem::path demo_scenario_file(const Laboratory& laboratory);

// The scenario with stand-ins for what only a laboratory knows: to find mistakes in overrides.
std::string demo_scenario_outline();

// Variables of pgBackRest's own (PGBACKREST_REPO1_PATH, ...) win over configuration files: the
// demo must not meet a production repository through them. Call before any other thread reads
// the environment.
void forget_pgbackrest_variables(const DemoLine& say);

}  // namespace pgrehearse
