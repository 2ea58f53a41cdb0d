// Where the agent (harness/agent) of a container or virtual machine is.
#pragma once

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

inline std::filesystem::path agent_program(const SandboxPaths& paths) {
  return paths.root / "agent";
}

inline std::filesystem::path agent_socket(const SandboxPaths& paths) {
  return paths.sockets / "sessions";
}

}  // namespace pgrehearse
