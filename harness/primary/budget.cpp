#include "harness/primary/budget.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <functional>

namespace pgrehearse {

namespace {

// A server that is a standby itself tells its own lag; the lag of an idle primary's standby is not
// counted, since it has replayed all that there is.
constexpr const char* lag_sql = R"(
select extract(epoch from case when pg_is_in_recovery() then
         case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then '0'::interval
              else now() - pg_last_xact_replay_timestamp() end
       else (select max(replay_lag) from pg_stat_replication) end))";

constexpr std::chrono::milliseconds poll_interval{500};

}  // namespace

BudgetWatch::BudgetWatch(const Primary& primary, const FingerprintBudget& budget,
                         const std::stop_token& stop)
    : primary_(primary),
      budget_(budget),
      began_(std::chrono::steady_clock::now()),
      outer_(stop, [this] { reading_.request_stop(); }),
      thread_([this](const std::stop_token& ending) { watch(ending); }) {}

BudgetWatch::~BudgetWatch() = default;

std::string BudgetWatch::over() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

void BudgetWatch::end(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    over_ = reason;
  }
  reading_.request_stop();
}

std::optional<Seconds> BudgetWatch::replica_lag(const std::stop_token& stop) {
  try {
    if (!connection_) connection_.emplace(primary_.connect({}, stop));
    const auto rows = connection_->query(lag_sql);
    if (!rows.rows[0][0]) return {};
    return Seconds(std::stod(*rows.rows[0][0]));
  } catch (const Error&) {
    connection_.reset();
    return {};
  }
}

void BudgetWatch::watch(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    const auto age = std::chrono::steady_clock::now() - began_;
    if (budget_.time && age >= *budget_.time) {
      return end(fmt::format("the time of {} is over", to_text(Seconds(*budget_.time))));
    }
    if (budget_.max_snapshot_age && age >= *budget_.max_snapshot_age) {
      return end(
          fmt::format("the snapshot is {} old", to_text(Seconds(*budget_.max_snapshot_age))));
    }
    if (budget_.max_replica_lag) {
      const auto lag = replica_lag(stop);
      if (lag && *lag > *budget_.max_replica_lag) {
        return end(fmt::format("a standby lags by {}", to_text(*lag)));
      }
    }
    wake.wait_for(lock, stop, poll_interval, [] { return false; });
  }
}

}  // namespace pgrehearse
