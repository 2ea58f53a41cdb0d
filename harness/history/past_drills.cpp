#include "harness/history/past_drills.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_drills = 100;

std::optional<double> seconds_of(const std::optional<std::chrono::milliseconds>& duration) {
  if (!duration) return {};
  return Seconds(*duration).count();
}

}  // namespace

std::vector<PastDrill> past_drills(Ledger& ledger, const std::string& scenario, Instant before) {
  auto points = ledger.trend({.scenario = scenario, .until = before});
  if (points.size() > most_drills) {
    points.erase(points.begin(), points.end() - static_cast<std::ptrdiff_t>(most_drills));
  }
  std::vector<PastDrill> past;
  for (const auto& point : points) {
    past.push_back({.started = point.started,
                    .verdict = point.verdict,
                    .rto = seconds_of(point.rto),
                    .rpo = seconds_of(point.rpo)});
  }
  return past;
}

}  // namespace pgrehearse
