// The life of one command inside the machine.
#pragma once

#include "harness/guest/account.hpp"
#include "harness/guest/descriptor.hpp"

namespace pgrehearse::guest {

// A stream (see protocol.hpp) to a new process that runs what is asked for, as the account. When
// the stream's other end goes away, the command and its group are killed.
Descriptor begin_session(const GuestAccount& account);

// A stream to the server's socket in `sockets`, opened as the account; empty when none listens.
Descriptor connect_to_server(const GuestAccount& account, const char* path);

}  // namespace pgrehearse::guest
