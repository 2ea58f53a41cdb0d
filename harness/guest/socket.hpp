// Unix sockets by path.
#pragma once

#include "harness/guest/descriptor.hpp"

namespace pgrehearse::guest {

// Listens at `path`, made with this process's umask; empty, with errno, when it cannot.
Descriptor listening_socket(const char* path);

// Empty when nobody listens there.
Descriptor connected_socket(const char* path);

}  // namespace pgrehearse::guest
