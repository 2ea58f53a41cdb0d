// RTO and RPO measured by a drill, compared with the objectives of the scenario.
#pragma once

#include "harness/drill/objectives/data_loss.hpp"
#include "harness/report/report.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct ObjectiveInput {
  const Scenario& scenario;
  const DataLoss& loss;
  Seconds recovery_took{0};  // from the start of the restore until the instance reached its target
};

// Fills report.rto and report.rpo, and adds one check record per objective of the scenario: pass,
// fail, unknown when evidence is missing, or skipped when the recovery target is not a time.
void measure_objectives(const ObjectiveInput& input, Report& report);

}  // namespace pgrehearse
