#include "harness/drill/pause_points.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgrehearse {

namespace {

std::vector<PausePoint> ascending(std::vector<PausePoint> points) {
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  return points;
}

bool is_before_target(const PausePoint& point, const RecoveryTarget& target) {
  switch (target.type) {
    case TargetType::latest:
      return true;
    case TargetType::lsn:
      return target.lsn && point.lsn <= *target.lsn;
    case TargetType::time:
      return target.time && point.taken && *point.taken <= *target.time;
    // Their position is known only when recovery has found them.
    case TargetType::immediate:
    case TargetType::xid:
    case TargetType::name:
      return false;
  }
  return false;
}

}  // namespace

std::optional<std::string> unreachable_reason(const PausePoint& point, const RecoveryPath& path) {
  const auto& backup = path.backup;
  if (backup.stop_lsn && point.lsn < *backup.stop_lsn) {
    return fmt::format("{} is before {}, where backup {} becomes consistent", to_text(point.lsn),
                       to_text(*backup.stop_lsn), backup.label);
  }
  if (!is_before_target(point, path.target)) {
    return fmt::format("{} is not known to be before the recovery target, {}", to_text(point.lsn),
                       to_text(path.target));
  }
  const bool archived = point.lsn < path.lineage.reachable_end;
  const bool may_be_archived_later =
      path.target.type == TargetType::latest && path.lineage.continuous();
  if (archived || may_be_archived_later) return {};
  return fmt::format("{} is after {}, where the recoverable WAL ends", to_text(point.lsn),
                     to_text(path.lineage.reachable_end));
}

PausePoints::PausePoints(std::span<PausePointVisitor* const> visitors,
                         const RepositoryContext& context) {
  for (auto* visitor : visitors) {
    call(*visitor, [&] {
      for (const auto& point : ascending(visitor->pause_points(context))) {
        requests_.push_back({visitor, point});
      }
    });
  }
}

std::vector<PausePoint> PausePoints::all() const {
  std::vector<PausePoint> points;
  for (const auto& request : requests_) points.push_back(request.point);
  return ascending(std::move(points));
}

void PausePoints::call(PausePointVisitor& visitor, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    failed_.insert(&visitor);
    visitor.failed(error);
  } catch (const std::exception& error) {
    failed_.insert(&visitor);
    visitor.failed(Error(ErrorKind::internal, error.what()));
  }
}

void PausePoints::call_requesters(const PausePoint& point,
                                  const std::function<void(PausePointVisitor& visitor)>& action) {
  for (const auto& request : requests_) {
    if (request.point != point || failed_.contains(request.visitor)) continue;
    call(*request.visitor, [&] { action(*request.visitor); });
  }
}

void PausePoints::reached(const InstanceContext& context, const PausePoint& point) {
  call_requesters(point, [&](auto& visitor) { visitor.at_pause_point(context, point); });
}

void PausePoints::unreachable(const PausePoint& point, const std::string& reason) {
  call_requesters(point, [&](auto& visitor) { visitor.pause_point_unreachable(point, reason); });
}

RecoveryTarget target_at(const PausePoint& point, const RecoveryTarget& target) {
  return {.type = TargetType::lsn,
          .lsn = point.lsn,
          .exclusive = point.exclusive,
          .timeline = target.timeline};
}

}  // namespace pgrehearse
