#include "harness/agent/socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace pgrehearse::agent {

namespace {

constexpr int waiting_connections = 64;

// Empty, with errno, when `use` fails.
template <typename Use>
Descriptor socket_for(const char* path, Use use) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto length = std::strlen(path);
  if (length >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return Descriptor();
  }
  std::memcpy(address.sun_path, path, length);
  Descriptor end(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  return use(end.get(), where, sizeof(address)) ? std::move(end) : Descriptor();
}

}  // namespace

Descriptor listen_at(const char* path) {
  return socket_for(path, [](int end, const sockaddr* where, socklen_t size) {
    return bind(end, where, size) == 0 && listen(end, waiting_connections) == 0;
  });
}

Descriptor connect_to(const char* path, std::chrono::seconds timeout) {
  return socket_for(path, [&](int end, const sockaddr* where, socklen_t size) {
    const timeval limit{.tv_sec = timeout.count(), .tv_usec = 0};
    setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    return connect(end, where, size) == 0;
  });
}

}  // namespace pgrehearse::agent
