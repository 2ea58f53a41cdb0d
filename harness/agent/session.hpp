// The life of one command inside.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/agent/account.hpp"
#include "harness/agent/descriptor.hpp"

namespace pgrehearse::guest {

struct SessionPlace {
  std::optional<AgentAccount> account;   // that commands run as; empty: this process's own
  std::vector<std::string> environment;  // NAME=value, of commands that are asked for without NAME
};

// Runs, in a new process, what comes over the stream (see protocol.hpp). When the stream's other
// end goes away, the command and its group are killed.
void begin_session(Descriptor stream, const SessionPlace& place);
// The other end of such a stream; empty when there can be none.
Descriptor begin_session(const SessionPlace& place);

// A stream to the server's socket at `path`, opened as the account; empty when none listens.
Descriptor connect_to_server(const AgentAccount& account, const char* path);

}  // namespace pgrehearse::guest
