// Limits for reading the primary, and their enforcement.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "harness/primary/primary.hpp"

namespace pgrehearse {

struct FingerprintBudget {
  std::optional<std::chrono::milliseconds> time;
  std::size_t connections = 2;
  std::optional<std::chrono::milliseconds> statement_timeout;
  std::optional<std::chrono::milliseconds> max_snapshot_age;
  // Of the primary's standbys, or of the server itself when it is one.
  std::optional<std::chrono::milliseconds> max_replica_lag;
};

// Runs in parallel with the reading and stops it when a limit is exceeded.
class BudgetWatch {
 public:
  // Starts watching. `primary` outlives this object; `stop` stops the reading too.
  BudgetWatch(const Primary& primary, const FingerprintBudget& budget, const std::stop_token& stop);
  ~BudgetWatch();
  BudgetWatch(const BudgetWatch&) = delete;
  BudgetWatch& operator=(const BudgetWatch&) = delete;

  // Stops the reading.
  [[nodiscard]] std::stop_token token() const { return reading_.get_token(); }
  // The limit that was exceeded; empty: none.
  [[nodiscard]] std::string over() const;

 private:
  void watch(const std::stop_token& stop);
  void end(const std::string& reason);
  // Why standby lag ends the reading; empty: it does not.
  [[nodiscard]] std::string lag_over(const std::stop_token& stop);

  const Primary& primary_;
  FingerprintBudget budget_;
  std::chrono::steady_clock::time_point began_;
  std::stop_source reading_;
  std::stop_callback<std::function<void()>> outer_;
  mutable std::mutex mutex_;
  std::string over_;
  std::optional<Connection> connection_;
  std::jthread thread_;  // last: joined before the other members are destroyed
};

}  // namespace pgrehearse
