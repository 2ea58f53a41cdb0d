// The line that is redrawn while a phase runs.
#pragma once

#include <optional>
#include <string>

#include "harness/common/units.hpp"

namespace pgrehearse {

struct LivePhase {
  std::string name;
  std::optional<double> fraction;  // 0..1
  std::string detail;              // "1.2 GB of 4.6 GB"
  Seconds elapsed{0};
  std::optional<Seconds> expected = {};      // from earlier drills
  std::optional<Seconds> later_phases = {};  // all that follow
};

// Until the end of the drill. By the fraction that is done, else by earlier drills; nullopt: not
// known.
std::optional<Seconds> remaining_time(const LivePhase& phase);

// Shorter than `width`, so that the terminal does not wrap it; without a line feed.
std::string live_line(const LivePhase& phase, int width, bool color);

}  // namespace pgrehearse
