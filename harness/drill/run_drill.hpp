// One drill from scenario to report. Reads like the line in docs/architecture.md.
#pragma once

#include <filesystem>
#include <functional>
#include <random>
#include <span>
#include <stop_token>
#include <string>

#include "harness/drill/check.hpp"
#include "harness/drill/command_recorder.hpp"
#include "harness/drill/progress.hpp"
#include "harness/report/report.hpp"
#include "harness/report/run_store.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// What a drill works with; all references outlive it. Wiring chooses the concrete classes.
struct DrillServices {
  CommandRecorder& commands;
  Provisioner& provisioner;
  BackupRepository& repository;
  Primary* primary = nullptr;  // nullptr when the scenario names none
  std::span<const CheckDescription> checks;
  RunStore& store;
  ProgressListener& progress;
  std::filesystem::path state;
  std::function<Instant()> now;
  std::string run_id;
  std::string host;
  std::string version;
  // Whether a stop request means that the drill's time is over; empty: it never does.
  std::function<bool()> time_is_over = {};
};

// Never throws for what happens in the drill: the report tells it. A stop request ends it early
// with everything removed. `keep` leaves a recovered instance running.
Report run_drill(const Scenario& scenario, const DrillServices& services, bool keep,
                 std::stop_token stop);

}  // namespace pgrehearse
