#pragma once

#include <stop_token>

namespace pgrehearse {

// Throws Error of kind `interrupted` when a stop was requested.
void throw_if_stopped(const std::stop_token& stop);

}  // namespace pgrehearse
