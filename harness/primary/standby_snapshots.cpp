#include "harness/primary/snapshot_methods.hpp"

namespace pgrehearse {

SnapshotAttempt take_standby_snapshots(const Primary& /*primary*/, const SnapshotServer& /*server*/,
                                       const SnapshotRequest& request,
                                       const std::stop_token& /*stop*/) {
  SnapshotAttempt attempt;
  for (const auto& database : request.databases)
    attempt.reasons[database] =
        "an exact pair cannot be proved on a standby yet: compare with the primary itself";
  return attempt;
}

}  // namespace pgrehearse
