// The services of the agent in a virtual machine.
#pragma once

namespace pgrehearse::agent {

inline constexpr char session_service = 's';  // one command: see protocol.hpp
inline constexpr char server_service = 'p';   // the PostgreSQL server's socket

}  // namespace pgrehearse::agent
