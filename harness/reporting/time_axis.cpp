#include "harness/reporting/time_axis.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace pgrehearse {

namespace {

using std::chrono::seconds;

double share(double part, double whole) { return whole <= 0 ? 0 : part / whole; }

seconds step_for(double length, std::size_t most) {
  constexpr std::array<std::int64_t, 22> steps{
      1,     2,     5,     15,    30,     60,     120,     300,     900,     1800,     3600,
      10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 15552000, 31536000};
  for (const auto step : steps) {
    if (length / static_cast<double>(step) <= static_cast<double>(most)) return seconds(step);
  }
  return seconds(31536000 * 5);
}

}  // namespace

void TimeAxis::know(Lsn lsn, Instant time) {
  const auto next = known_.lower_bound(lsn);
  if (next != known_.end() && next->second < time) return;
  if (next != known_.begin() && std::prev(next)->second > time) return;
  known_.emplace(lsn, time);
}

std::optional<Instant> TimeAxis::time_of(Lsn lsn) const {
  const auto next = known_.lower_bound(lsn);
  if (next == known_.end()) return {};
  if (next->first == lsn) return next->second;
  if (next == known_.begin()) return {};
  const auto& [lsn_before, time_before] = *std::prev(next);
  const double part = share(static_cast<double>(lsn.value - lsn_before.value),
                            static_cast<double>(next->first.value - lsn_before.value));
  return time_before +
         std::chrono::duration_cast<Instant::duration>(Seconds(next->second - time_before) * part);
}

std::optional<Lsn> TimeAxis::lsn_at(Instant time) const {
  const auto next =
      std::ranges::find_if(known_, [&](const auto& point) { return point.second >= time; });
  if (next == known_.end()) return {};
  if (next->second == time) return next->first;
  if (next == known_.begin()) return {};
  const auto& [lsn_before, time_before] = *std::prev(next);
  const double part =
      share(Seconds(time - time_before).count(), Seconds(next->second - time_before).count());
  const auto bytes = static_cast<double>(next->first.value - lsn_before.value) * part;
  return Lsn{lsn_before.value + static_cast<std::uint64_t>(bytes)};
}

std::vector<AxisTick> ticks_between(Instant begin, Instant end, std::size_t most,
                                    std::chrono::minutes utc_offset) {
  std::vector<AxisTick> ticks;
  if (end <= begin) return ticks;
  const auto step = step_for(Seconds(end - begin).count(), std::max<std::size_t>(most, 1));
  const auto local = std::chrono::ceil<seconds>(begin + utc_offset).time_since_epoch();
  auto at = Instant(seconds((local.count() + step.count() - 1) / step.count() * step.count())) -
            utc_offset;
  std::string date;
  for (; at <= end && ticks.size() <= most; at += step) {
    const auto whole = to_text(at, utc_offset);  // 2026-11-20 03:00:00
    auto text = step < seconds(60) ? whole.substr(11, 8) : whole.substr(11, 5);
    if (step >= seconds(86400)) {
      text = step >= seconds(2592000) ? whole.substr(0, 10) : whole.substr(5, 5);
    } else if (whole.substr(0, 10) != date) {
      date = whole.substr(0, 10);
      text = date.substr(5) + " " + text;
    }
    ticks.push_back({.at = at, .text = text});
  }
  return ticks;
}

}  // namespace pgrehearse
