#include "tests/stores/faulty_proxy.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace pgrehearse {

namespace {

constexpr int poll_milliseconds = 50;

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int socket, const char* bytes, std::size_t count) {
  while (count > 0) {
    const auto sent = send(socket, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<std::size_t>(sent);
  }
  return true;
}

// The peer gets "connection reset" instead of an end of file.
void reset(int socket) {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

const char* name_of(ProxyFault::Kind kind) {
  switch (kind) {
    case ProxyFault::Kind::reset:
      return "reset";
    case ProxyFault::Kind::stall:
      return "stall";
    case ProxyFault::Kind::close:
      return "close";
  }
  return "";
}

}  // namespace

std::string to_text(const ProxyFault& fault) {
  return fmt::format("{} after {} bytes, {}", name_of(fault.kind), fault.after,
                     fault.connections == 0 ? "every connection"
                                            : fmt::format("{} connections", fault.connections));
}

FaultyProxy::FaultyProxy(int port)
    : target_(port), listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto address = local(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listening_, generic, size) != 0 || listen(listening_, 64) != 0 ||
      getsockname(listening_, generic, &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  listening_port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { accept_connections(stop); });
}

FaultyProxy::~FaultyProxy() {
  thread_.request_stop();
  thread_.join();
  for (auto& connection : connections_) connection.request_stop();
  connections_.clear();
  close(listening_);
}

void FaultyProxy::schedule(std::vector<ProxyFault> faults) {
  const std::lock_guard lock(mutex_);
  faults_ = std::move(faults);
  forwarded_ = 0;
  met_ = 0;
  ++generation_;
}

bool FaultyProxy::meets(ProxyFault::Kind& kind) {
  const std::lock_guard lock(mutex_);
  for (auto& fault : faults_) {
    if (fault.connections < 0 || forwarded_ < fault.after) continue;
    kind = fault.kind;
    if (fault.connections > 0 && --fault.connections == 0) fault.connections = -1;
    ++met_;
    return true;
  }
  return false;
}

void FaultyProxy::accept_connections(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd event{.fd = listening_, .events = POLLIN, .revents = 0};
    if (poll(&event, 1, poll_milliseconds) <= 0) continue;
    const int client = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    connections_.emplace_back(
        [this, client](const std::stop_token& ended) { serve(client, ended); });
  }
}

void FaultyProxy::serve(int client, const std::stop_token& stop) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = local(target_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::array<char, 16384> buffer{};
  const int generation = generation_;
  while (open && !stop.stop_requested()) {
    std::array<pollfd, 2> events{pollfd{.fd = client, .events = POLLIN, .revents = 0},
                                 pollfd{.fd = server, .events = POLLIN, .revents = 0}};
    if (poll(events.data(), events.size(), poll_milliseconds) <= 0) continue;
    auto kind = ProxyFault::Kind::close;
    if (meets(kind)) {
      while (kind == ProxyFault::Kind::stall && !stop.stop_requested() &&
             generation == generation_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(poll_milliseconds));
      }
      if (kind == ProxyFault::Kind::reset) reset(client);
      break;
    }
    for (const bool from_client : {true, false}) {
      const auto& event = events.at(from_client ? 0 : 1);
      if (event.revents == 0) continue;
      const auto count = read(event.fd, buffer.data(), buffer.size());
      open =
          open && count > 0 &&
          send_all(from_client ? server : client, buffer.data(), static_cast<std::size_t>(count));
      if (!from_client && count > 0) forwarded_ += static_cast<std::uint64_t>(count);
    }
  }
  close(server);
  close(client);
}

}  // namespace pgrehearse
