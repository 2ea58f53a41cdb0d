// Unix sockets by path.
#pragma once

#include <chrono>

#include "harness/agent/descriptor.hpp"

namespace pgrehearse::guest {

// Listens at `path`, made with this process's umask; empty, with errno, when it cannot.
Descriptor listening_socket(const char* path);

// Empty when nobody listens there. What takes longer than `patience` to connect or to send fails;
// 0: it waits.
Descriptor connected_socket(const char* path, std::chrono::seconds patience = {});

}  // namespace pgrehearse::guest
