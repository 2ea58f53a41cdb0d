// A server on a free loopback port that records whether anything connects.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace pgrehearse {

class NetworkTrap {
 public:
  NetworkTrap() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, generic, size) != 0 || listen(socket_, 8) != 0 ||
        getsockname(socket_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
  }
  NetworkTrap(const NetworkTrap&) = delete;
  NetworkTrap& operator=(const NetworkTrap&) = delete;
  ~NetworkTrap() { close(socket_); }

  [[nodiscard]] int port() const { return port_; }
  // Whether anything has connected, or connects within that time.
  [[nodiscard]] bool called(std::chrono::milliseconds timeout = {}) const {
    pollfd event{.fd = socket_, .events = POLLIN, .revents = 0};
    return poll(&event, 1, static_cast<int>(timeout.count())) > 0;
  }

 private:
  int socket_;
  int port_ = 0;
};

}  // namespace pgrehearse
