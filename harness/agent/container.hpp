// Process 1 of a container.
#pragma once

namespace pgrehearse::agent {

// Runs a session (see protocol.hpp) for each connection to `socket`, under its own account, and
// reaps orphaned processes. Ends after `lifetime` seconds. Returns the exit code.
int run_container(const char* socket, const char* lifetime);

}  // namespace pgrehearse::agent
