// A pause that a stop request ends.
#pragma once

#include <chrono>
#include <stop_token>

namespace pgrehearse {

// Sleeps for `time`; returns at once when `stop` is requested. True if the whole time passed.
bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace pgrehearse
