#include "harness/sandbox/socket_peer.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <optional>

#include "harness/process/acting_account.hpp"

namespace pgrehearse {

namespace {

// SO_PEERCRED names the process that called listen().
std::optional<ucred> listener_of(const std::filesystem::path& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const auto& name = path.native();
  if (name.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, name.data(), name.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return {};
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool found =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  close(fd);
  if (!found) return {};
  return peer;
}

}  // namespace

SocketPeer peer_of_socket(const std::filesystem::path& socket, const std::filesystem::path& data) {
  const auto peer = listener_of(socket);
  // 0: a process of another PID namespace.
  if (!peer || peer->pid == 0) return SocketPeer::unknown;
  struct stat working {};
  struct stat expected {};
  // Root in a container may inspect a process only as its owner.
  const ActingAccount acting({.uid = peer->uid, .gid = peer->gid});
  if (stat(fmt::format("/proc/{}/cwd", peer->pid).c_str(), &working) != 0 ||
      stat(data.c_str(), &expected) != 0) {
    return SocketPeer::unknown;
  }
  const bool same = working.st_dev == expected.st_dev && working.st_ino == expected.st_ino;
  return same ? SocketPeer::own : SocketPeer::other;
}

}  // namespace pgrehearse
