// What a recovery will need and whether its target can be reached, before it starts.
#pragma once

#include <optional>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/time_zone.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct RecoveryOutlook {
  std::vector<std::pair<std::string, std::string>> lines;  // label and text
  // Why the target cannot be reached; empty: it can, or only recovery can find it.
  std::string unreachable;
};

// From a preparation whose steps were taken, for the scenario's target. Reads the newest WAL for a
// target that is a time; restores nothing. Throws Error.
RecoveryOutlook look_ahead(const Scenario& scenario, const ScenarioParts& parts,
                           const Preparation& preparation, const TimeZone& zone,
                           const CommonOptions& common, const std::stop_token& stop);

void print(const RecoveryOutlook& outlook, std::ostream& out);

}  // namespace pgrehearse
