#include "harness/reporting/html/trend_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <kainjow/mustache.hpp>

#include "harness/reporting/html/templates.hpp"
#include "harness/reporting/phrases.hpp"

namespace pgrehearse {

std::string trend_svg(const std::vector<ChartPoint>& points, std::optional<double> objective) {
  double highest = objective.value_or(0);
  for (const auto& point : points) highest = std::max(highest, point.value);
  const double length = Seconds(points.back().at - points.front().at).count();
  const auto y_of = [&](double value) { return highest > 0 ? 38 - value / highest * 36 : 38; };
  std::string line;
  for (const auto& point : points) {
    const double x = length > 0 ? Seconds(point.at - points.front().at).count() / length * 100 : 0;
    line += fmt::format("{:.1f},{:.1f} ", x, y_of(point.value));
  }
  kainjow::mustache::data page;
  page.set("points", line);
  page.set("description",
           fmt::format("{} drills since {}: from {} to {}", points.size(),
                       time_in_words(points.front().at), duration_in_words(points.front().value),
                       duration_in_words(points.back().value)));
  if (objective) {
    kainjow::mustache::data limit;
    limit.set("y", fmt::format("{:.1f}", y_of(*objective)));
    page.set("objective", limit);
  }
  return kainjow::mustache::mustache(std::string(embedded::trend_mustache)).render(page);
}

}  // namespace pgrehearse
