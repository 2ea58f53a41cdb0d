#include "harness/primary/budget.hpp"

#include <fmt/format.h>

#include <functional>

#include "harness/common/poll_until.hpp"

namespace pgrehearse {

namespace {

// The lag, and the number of standbys whose lag is hidden from a role without pg_read_all_stats. A
// standby reports its own lag, which is zero when it has replayed everything that it received.
constexpr const char* lag_sql = R"(
select extract(epoch from case when pg_is_in_recovery() then
         case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then '0'::interval
              else now() - pg_last_xact_replay_timestamp() end
       else (select max(replay_lag) from pg_stat_replication) end),
       (select count(*) filter (where state is null) from pg_stat_replication
         where not pg_is_in_recovery()))";

constexpr std::chrono::milliseconds poll_interval{500};

}  // namespace

BudgetWatch::BudgetWatch(const Primary& primary, const FingerprintBudget& budget,
                         const std::stop_token& stop)
    : primary_(primary),
      budget_(budget),
      began_(std::chrono::steady_clock::now()),
      outer_(stop, [this] { reading_.request_stop(); }) {
  // Do not start while standbys lag already.
  if (budget_.max_replica_lag) {
    if (const auto reason = lag_over(stop); !reason.empty()) {
      end(reason);
      return;
    }
  }
  thread_ = std::jthread([this](const std::stop_token& ending) { watch(ending); });
}

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

std::string BudgetWatch::lag_over(const std::stop_token& stop) {
  try {
    if (!connection_) connection_.emplace(primary_.connect({}, stop));
    const auto rows = connection_->query(lag_sql);
    if (rows.text(0, 1) != "0") {
      return "standby lag is not visible: grant pg_monitor to the role";
    }
    if (!rows.rows[0][0]) return {};
    const Seconds lag(std::stod(*rows.rows[0][0]));
    return lag > *budget_.max_replica_lag ? fmt::format("a standby lags by {}", to_text(lag)) : "";
  } catch (const Error&) {
    // The readers notice a lost connection themselves.
    connection_.reset();
    return {};
  }
}

void BudgetWatch::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto age = std::chrono::steady_clock::now() - began_;
    if (budget_.time && age >= *budget_.time) {
      return end(fmt::format("budget.time of {} is used up", to_text(Seconds(*budget_.time))));
    }
    if (budget_.max_snapshot_age && age >= *budget_.max_snapshot_age) {
      return end(fmt::format("the snapshot is older than {}",
                             to_text(Seconds(*budget_.max_snapshot_age))));
    }
    if (budget_.max_replica_lag) {
      if (const auto reason = lag_over(stop); !reason.empty()) return end(reason);
    }
    wait_for(poll_interval, stop);
  }
}

}  // namespace pgrehearse
