// How many seconds of commits a recovery loses: what the RPO and the check `freshness` compare with
// their limits.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/primary/primary_state.hpp"
#include "harness/report/report.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The loss is between the two bounds; an absent bound is unknown.
struct DataLoss {
  bool applicable = true;  // false: the recovery target is not a time
  std::optional<Seconds> at_least;
  std::optional<Seconds> at_most;
  std::string explanation;  // how it was measured, or why it could not be measured
  std::string clock;        // which clock is or was wrong; empty: none that is known

  // Pass or fail if both bounds are on one side of the limit.
  [[nodiscard]] Verdict verdict(Seconds limit) const;
  // The bound that decides for this limit, without a limit the loss if it is known exactly.
  [[nodiscard]] std::optional<Seconds> measured(std::optional<Seconds> limit) const;
};

struct DataLossInput {
  const RecoveryTarget& target;
  const Backup& backup;
  const Landing& landing;
  Instant drill_started;
  Instant landed_at;  // by the same clock
  const Primary* primary = nullptr;
  // Read when the drill started; nullopt when the primary could not be reached.
  const std::optional<PrimaryIdentity>& identity;
  const std::optional<PrimaryState>& state;
  std::function<Connection()> connect_copy;  // the instance at the landing
};

// Never throws for a server that cannot be queried. Throws Error(interrupted).
DataLoss measure_data_loss(const DataLossInput& input, std::stop_token stop);

}  // namespace pgrehearse
