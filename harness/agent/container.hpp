// The first process of a container.
#pragma once

namespace pgrehearse::guest {

// Runs a session (see protocol.hpp) for everybody who connects to `socket`, as the account that it
// runs as itself, and collects orphans, as process 1 has to. Ends by itself after `lifetime`
// seconds. Returns the exit code.
int run_container(const char* socket, const char* lifetime);

}  // namespace pgrehearse::guest
