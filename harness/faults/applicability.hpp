// Decides which faults of the catalogue can be injected into a copy of a user's repository and
// detected by the user's scenario. Reasons found only during injection are reported by
// DoesNotApply.
#pragma once

#include <cstdint>
#include <string>

#include "harness/common/units.hpp"
#include "harness/faults/damage/injection_site.hpp"
#include "harness/faults/fault.hpp"

namespace pgrehearse {

// Properties of the drill that decide.
struct DrillTraits {
  bool root = false;               // pgrehearse runs as root, so it may mount
  bool local = true;               // the sandbox uses the binaries of this host
  bool follows_timelines = true;   // recovery follows the latest timeline
  bool switches_timeline = false;  // recovery crosses a timeline switch
  Bytes minimum_disk;              // needed by a drill
  // Age of the oldest backup in the copy.
  Seconds oldest_backup{0};
};

// Why the fault cannot be injected; empty if it can.
std::string why_not_applicable(const Fault& fault, const RepositoryTraits& repository,
                               const DrillTraits& drill);

}  // namespace pgrehearse
