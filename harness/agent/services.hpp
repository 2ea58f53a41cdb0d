// What the agent in the machine answers to.
#pragma once

namespace pgrehearse::guest {

inline constexpr char session_service = 's';  // one command: see protocol.hpp
inline constexpr char server_service = 'p';   // the PostgreSQL server's socket

}  // namespace pgrehearse::guest
