// One drill from scenario to report: prepare, create the sandbox, restore, recover, prove the
// landing, run the checks, clean up, report.
#pragma once

#include <stop_token>

#include "harness/drill/drill_services.hpp"
#include "harness/report/report.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// A failed drill is a report, not an exception. A stop request ends the drill early; the sandbox is
// removed then as well. `keep` leaves a recovered instance running.
// Throws Error(environment, env_state) only before the drill begins: when the run's directory
// cannot be created.
Report run_drill(const Scenario& scenario, const DrillServices& services, bool keep,
                 std::stop_token stop);

}  // namespace pgrehearse
