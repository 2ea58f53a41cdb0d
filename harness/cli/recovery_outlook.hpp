// What a recovery will need and whether its target can be reached, before it starts.
#pragma once

#include <optional>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/common/time_zone.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct RecoveryOutlook {
  std::vector<std::pair<std::string, std::string>> lines;  // label and text
  // Why the target cannot be reached; empty: it can, or only recovery can find it.
  std::string unreachable;
};

// Lists backups and archive, and reads the newest WAL for a target that is a time. Restores
// nothing. Throws Error as the preparation of a drill does.
RecoveryOutlook look_ahead(const Scenario& scenario, const TimeZone& zone,
                           const CommonOptions& common, const std::stop_token& stop);

void print(const RecoveryOutlook& outlook, std::ostream& out);

}  // namespace pgrehearse
