#include "harness/primary/snapshot_methods.hpp"

namespace pgrehearse {

SnapshotAttempt take_standby_snapshots(const Primary& /*primary*/, const SnapshotServer& /*server*/,
                                       const SnapshotRequest& request,
                                       const std::stop_token& /*stop*/) {
  SnapshotAttempt attempt;
  for (const auto& database : request.databases) attempt.reasons[database] = "a standby";
  return attempt;
}

}  // namespace pgrehearse
