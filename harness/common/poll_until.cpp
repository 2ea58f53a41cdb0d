#include "harness/common/poll_until.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "harness/common/throw_if_stopped.hpp"

namespace pgrehearse {

bool wait_for(std::chrono::nanoseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any event;
  event.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

bool poll_until(std::chrono::steady_clock::time_point deadline, std::chrono::nanoseconds interval,
                const std::stop_token& stop, const std::function<bool()>& predicate) {
  using Clock = std::chrono::steady_clock;
  while (true) {
    throw_if_stopped(stop);
    const auto started = Clock::now();
    if (predicate()) return true;
    if (started >= deadline) return false;
    wait_for(std::min<std::chrono::nanoseconds>(interval, deadline - Clock::now()), stop);
  }
}

}  // namespace pgrehearse
