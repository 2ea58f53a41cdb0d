// The pause points of one recovery: which of them it reaches, and in what order.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/drill/check_context.hpp"
#include "harness/drill/pause_point.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// What decides whether a recovery reaches a position.
struct RecoveryPath {
  const RecoveryTarget& target;
  const Backup& backup;
  const WalLineage& lineage;
};

// Why the recovery does not pause at `point`. nullopt: it does, as soon as the WAL before it is in
// the archive.
std::optional<std::string> unreachable_reason(const PausePoint& point, const RecoveryPath& path);

class PausePoints {
 public:
  // Asks the visitors for their positions; waits for those that do not know them yet. The visitors
  // outlive this object.
  PausePoints(std::span<PausePointVisitor* const> visitors, const RepositoryContext& context);

  // Ascending, without duplicates.
  [[nodiscard]] std::vector<PausePoint> all() const;
  // Call the visitors that asked for `point`.
  void reached(const InstanceContext& context, const PausePoint& point);
  void unreachable(const PausePoint& point, const std::string& reason);

 private:
  struct Request {
    PausePointVisitor* visitor = nullptr;
    PausePoint point;
  };
  void call(PausePointVisitor& visitor, const std::function<void()>& action);
  void call_requesters(const PausePoint& point,
                       const std::function<void(PausePointVisitor& visitor)>& action);

  std::vector<Request> requests_;
  std::set<PausePointVisitor*> failed_;
};

// The target of a recovery that pauses at `point`; the timeline is that of `target`.
RecoveryTarget target_at(const PausePoint& point, const RecoveryTarget& target);

}  // namespace pgrehearse
