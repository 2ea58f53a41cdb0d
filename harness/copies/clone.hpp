// The server of a cloned sandbox.
#pragma once

#include <stop_token>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Starts it on its own: it stays in recovery where the original was paused, gets no WAL until the
// copy is advanced, and outlives this process. Marks the sandbox as kept. Throws Error(startup).
void start_clone(Sandbox& clone, const std::stop_token& stop);

}  // namespace pgrehearse
