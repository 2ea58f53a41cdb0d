#include "harness/drill/pause_points.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgrehearse {

namespace {

// Turns what a check throws into its failure; only an interruption goes on.
template <typename Action>
void guarded(PlannedCheck& check, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    check.failure = error;
  } catch (const std::exception& error) {
    check.failure = Error(ErrorKind::internal, error.what());
  }
}

bool is_before_target(const Stop& stop, const RecoveryTarget& target) {
  switch (target.type) {
    case TargetType::latest:
      return true;
    case TargetType::lsn:
      return target.lsn && stop.lsn <= *target.lsn;
    case TargetType::time:
      return target.time && stop.taken && *stop.taken <= *target.time;
    // Where these lie is known only when recovery has found them.
    case TargetType::immediate:
    case TargetType::xid:
    case TargetType::name:
      return false;
  }
  return false;
}

}  // namespace

std::optional<std::string> why_missed(const Stop& stop, const RecoveryPath& path) {
  const auto& backup = path.backup;
  if (backup.stop_lsn && stop.lsn < *backup.stop_lsn) {
    return fmt::format("{} lies before {}, where backup {} becomes consistent", to_text(stop.lsn),
                       to_text(*backup.stop_lsn), backup.label);
  }
  if (!is_before_target(stop, path.target)) {
    return fmt::format("{} is not known to lie before the recovery target, {}", to_text(stop.lsn),
                       to_text(path.target));
  }
  const bool there = stop.lsn < path.lineage.reachable_end;
  if (there) return {};
  if (path.target.type != TargetType::latest || !path.lineage.continuous()) {
    return fmt::format("{} lies behind the end of the WAL that can be replayed, {}",
                       to_text(stop.lsn), to_text(path.lineage.reachable_end));
  }
  return {};
}

PausePoints::PausePoints(std::span<PlannedCheck> checks, CheckContext& context)
    : context_(context) {
  for (auto& planned : checks) {
    guarded(planned, [&] {
      auto stops = planned.check->stops(context);
      std::sort(stops.begin(), stops.end());
      stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
      for (const auto& stop : stops) asked_.push_back({&planned, stop});
    });
  }
}

std::vector<Stop> PausePoints::all() const {
  std::vector<Stop> stops;
  for (const auto& asked : asked_) stops.push_back(asked.stop);
  std::sort(stops.begin(), stops.end());
  stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
  return stops;
}

void PausePoints::tell(const Stop& stop, const std::function<void(Check& check)>& call) {
  for (const auto& asked : asked_) {
    if (asked.stop != stop || asked.check->failure) continue;
    guarded(*asked.check, [&] { call(*asked.check->check); });
  }
}

void PausePoints::reached(const Stop& stop) {
  tell(stop, [&](Check& check) { check.at_stop(context_, stop); });
}

void PausePoints::missed(const Stop& stop, const std::string& why) {
  tell(stop, [&](Check& check) { check.missed_stop(context_, stop, why); });
}

RecoveryTarget target_of(const Stop& stop, const RecoveryTarget& target) {
  return {.type = TargetType::lsn,
          .lsn = stop.lsn,
          .exclusive = stop.exclusive,
          .timeline = target.timeline};
}

}  // namespace pgrehearse
