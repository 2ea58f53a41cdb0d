// Unix sockets by path.
#pragma once

#include <chrono>

#include "harness/process/descriptor.hpp"

namespace pgrehearse::agent {

// Creates a socket at `path` with this process's umask and listens; empty, with errno, on failure.
Descriptor listen_at(const char* path);

// Empty when nothing listens there. Connecting and sending fail after `timeout`; 0: no timeout.
Descriptor connect_to(const char* path, std::chrono::seconds timeout = {});

}  // namespace pgrehearse::agent
