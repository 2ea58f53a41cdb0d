// RTO and RPO as measured by a drill, against what the scenario promises.
#pragma once

#include <chrono>
#include <stop_token>

#include "harness/primary/primary.hpp"
#include "harness/report/report.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct ObjectiveInput {
  const Scenario& scenario;
  const Primary* primary = nullptr;
  Seconds recovery_took{0};  // from the start of the restore until the instance was at its target
};

// Fills report.rto and report.rpo, and adds one check record for each objective that the scenario
// states: pass, fail, unknown where the evidence is missing, or skipped where the recovery target
// leaves nothing to measure.
void measure_objectives(const ObjectiveInput& input, Report& report, std::stop_token stop);

}  // namespace pgrehearse
