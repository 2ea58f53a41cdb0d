// Which process listens on the socket in a sandbox: code in the copy can replace the socket.
#pragma once

#include <filesystem>

namespace pgrehearse {

enum class SocketPeer {
  own,      // its working directory is the data directory, as a PostgreSQL server's is
  other,    // it works elsewhere
  unknown,  // nobody accepts a connection, or this account may not inspect the process
};

// Connects, sends nothing and disconnects: PostgreSQL logs nothing then. The working directory of a
// process can only be changed by the process itself.
SocketPeer peer_of_socket(const std::filesystem::path& socket, const std::filesystem::path& data);

}  // namespace pgrehearse
