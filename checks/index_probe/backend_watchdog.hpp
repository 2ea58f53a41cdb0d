// Ends a server process of the copy that does not react to its statement timeout: some index access
// methods loop forever in a damaged page.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

class BackendWatchdog {
 public:
  // `connect` opens another session of the same database as superuser. The process is ended when
  // this object still exists after `limit`; the server then ends as after a crash.
  BackendWatchdog(std::function<Connection()> connect, std::string process_id,
                  std::chrono::milliseconds limit);
  ~BackendWatchdog();
  BackendWatchdog(const BackendWatchdog&) = delete;
  BackendWatchdog& operator=(const BackendWatchdog&) = delete;

  [[nodiscard]] bool fired() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool fired_ = false;
  std::jthread thread_;  // last: joined before the other members are destroyed
};

}  // namespace pgrehearse
