// Earlier drills of a scenario, for the trends of its reports.
#pragma once

#include <string>
#include <vector>

#include "harness/history/ledger.hpp"
#include "harness/reporting/reporter.hpp"

namespace pgrehearse {

// The newest 100 that started before `before`, oldest first. Throws Error(environment).
std::vector<PastDrill> past_drills(Ledger& ledger, const std::string& scenario, Instant before);

}  // namespace pgrehearse
