#include "harness/common/stoppable_wait.hpp"

#include <condition_variable>
#include <mutex>

namespace pgrehearse {

bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any event;
  event.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace pgrehearse
