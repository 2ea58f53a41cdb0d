#include "harness/locate/target_resolver.hpp"

#include <algorithm>

namespace pgrehearse {

TargetResolver::TargetResolver(const std::vector<RecoveryTarget>& targets, Lsn consistent) {
  for (const auto& target : targets) {
    Search search{.result = {.target = target}};
    if (target.type == TargetType::latest) search.done = true;
    if (target.type == TargetType::immediate) search.result.stop = consistent;
    if (target.type == TargetType::lsn && target.exclusive) search.result.stop = target.lsn;
    searches_.push_back(std::move(search));
  }
}

std::vector<Lsn> TargetResolver::positions() const {
  std::vector<Lsn> positions;
  for (const auto& search : searches_) {
    const auto& target = search.result.target;
    if (target.type == TargetType::lsn && !target.exclusive) positions.push_back(*target.lsn);
  }
  return positions;
}

// As PostgreSQL's recoveryStopsBefore() and recoveryStopsAfter().
std::optional<Lsn> TargetResolver::stop_at(const RecoveryTarget& target,
                                           const TransactionEnd& end) {
  if (target.type == TargetType::time && end.time) {
    const bool past = target.exclusive ? *end.time >= *target.time : *end.time > *target.time;
    if (past) return end.lsn;
  }
  if (target.type == TargetType::xid && end.xid == *target.xid) {
    return target.exclusive ? end.lsn : end.end;
  }
  return {};
}

bool TargetResolver::take(const WalChunk& chunk) {
  for (auto& search : searches_) {
    const auto& target = search.result.target;
    if (search.result.stop) continue;
    if (target.type == TargetType::name) {
      const auto point = std::ranges::find(chunk.restore_points, target.name, &RestorePoint::name);
      if (point != chunk.restore_points.end()) search.result.stop = point->end;
    }
    if (target.type == TargetType::lsn) {
      const auto record = chunk.position_ends.find(*target.lsn);
      if (record != chunk.position_ends.end()) search.result.stop = record->second;
    }
  }
  for (const auto& end : chunk.ends) {
    for (auto& search : searches_) {
      auto& result = search.result;
      if (search.done) continue;
      if (!result.stop) result.stop = stop_at(result.target, end);
      if (!result.stop || end.lsn < *result.stop) continue;
      result.last_applied = last_commit_;
      result.first_withheld = end;
      search.done = true;
    }
    if (end.aborted) continue;
    last_commit_ = end;
  }
  // So that a target after the last commit of this part knows that commit.
  for (auto& search : searches_) {
    if (!search.done && search.result.stop) search.result.last_applied = last_commit_;
  }
  return std::ranges::any_of(searches_, [](const auto& search) { return !search.done; });
}

std::vector<ResolvedTarget> TargetResolver::in_wal_order() const {
  std::vector<ResolvedTarget> results;
  for (const auto& search : searches_) results.push_back(search.result);
  std::ranges::stable_sort(results, [](const auto& left, const auto& right) {
    if (!left.stop || !right.stop) return left.stop.has_value() && !right.stop.has_value();
    return *left.stop < *right.stop;
  });
  return results;
}

}  // namespace pgrehearse
