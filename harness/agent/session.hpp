// Runs one command in the container or virtual machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/agent/account.hpp"
#include "harness/process/descriptor.hpp"

namespace pgrehearse::agent {

struct SessionSettings {
  std::optional<AgentAccount> account;  // of the commands; empty: this process's own
  // NAME=value: defaults for variables that a request does not set.
  std::vector<std::string> environment;
};

// Runs the command that is requested over the stream (see protocol.hpp), in a new process. When the
// peer closes the stream, the command and its process group are killed.
void begin_session(Descriptor stream, const SessionSettings& settings);
// Returns the peer's end of a new session's stream; empty when it cannot be created.
Descriptor begin_session(const SessionSettings& settings);

// Connects to the server's socket at `path` under the account; empty when no server listens.
Descriptor connect_to_server(const AgentAccount& account, const char* path);

}  // namespace pgrehearse::agent
