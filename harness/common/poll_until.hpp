// Waiting that ends on a stop request.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

namespace pgrehearse {

// Sleeps for `time`; returns at once when a stop is requested. True if the whole time passed.
bool wait_for(std::chrono::nanoseconds time, const std::stop_token& stop);

// Calls `predicate` every `interval` until it returns true (result: true) or the deadline has
// passed (result: false). It is called at least once, and a last time at the deadline. Throws
// Error of kind `interrupted` when a stop is requested.
bool poll_until(std::chrono::steady_clock::time_point deadline, std::chrono::nanoseconds interval,
                const std::stop_token& stop, const std::function<bool()>& predicate);

}  // namespace pgrehearse
