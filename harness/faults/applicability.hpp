// Which faults of the catalogue can be planted in a copy of somebody's repository and rehearsed
// with somebody's scenario. What shows only while it is planted is told by DoesNotApply.
#pragma once

#include <cstdint>
#include <string>

#include "harness/common/units.hpp"
#include "harness/faults/damage/injection_site.hpp"
#include "harness/faults/fault.hpp"

namespace pgrehearse {

// What matters of the drill.
struct DrillTraits {
  bool root = false;               // only root may mount
  bool local = true;               // the sandbox uses this host's programs
  bool follows_timelines = true;   // recovery goes to the newest one
  bool switches_timeline = false;  // and there is one on its way
  Bytes least_disk;                // that a drill needs
  // How old the oldest set of the copy is.
  Seconds oldest_set{0};
};

// Why the fault cannot be planted there; empty: it can.
std::string why_not_applicable(const Fault& fault, const RepositoryTraits& repository,
                               const DrillTraits& drill);

}  // namespace pgrehearse
