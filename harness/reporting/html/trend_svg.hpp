// A small line chart of one value over past drills, with its objective.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

struct ChartPoint {
  Instant at;
  double value = 0;  // seconds
};

// `points` oldest first, at least two.
std::string trend_svg(const std::vector<ChartPoint>& points, std::optional<double> objective);

}  // namespace pgrehearse
