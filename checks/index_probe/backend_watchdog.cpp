#include "checks/index_probe/backend_watchdog.hpp"

#include <fmt/format.h>

namespace pgrehearse {

namespace {

// Sent from the server itself: only there is the process ID certain to be the copy's. A process
// that ignores cancellation still ends on SIGQUIT.
void end_process(Connection& sql, const std::string& process_id) {
  sql.query(
      fmt::format("copy (select 1 where exists (select from pg_catalog.pg_stat_activity "
                  "where pid = {0})) to program 'kill -QUIT {0}'",
                  process_id));
}

}  // namespace

BackendWatchdog::BackendWatchdog(std::function<Connection()> connect, std::string process_id,
                                 std::chrono::milliseconds limit)
    : thread_([this, connect = std::move(connect), process_id = std::move(process_id),
               until = std::chrono::steady_clock::now() + limit](const std::stop_token& stop) {
        {
          std::unique_lock lock(mutex_);
          wake_.wait_until(lock, stop, until, [] { return false; });
          if (stop.stop_requested()) return;
          fired_ = true;
        }
        try {
          auto sql = connect();
          end_process(sql, process_id);
        } catch (const Error&) {
          // The server is gone already.
        }
      }) {}

BackendWatchdog::~BackendWatchdog() = default;

bool BackendWatchdog::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

}  // namespace pgrehearse
