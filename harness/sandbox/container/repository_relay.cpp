#include "harness/sandbox/container/repository_relay.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/process/accept_client.hpp"
#include "harness/process/carry_streams.hpp"
#include "harness/process/descriptor.hpp"

namespace pgrehearse {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

[[noreturn]] void refuse(std::string_view action) {
  throw Error(ErrorKind::environment,
              fmt::format("cannot forward connections from the container to the repository: {}: {}",
                          action, std::strerror(errno)),
              "run pgrehearse as root on a host that allows it to enter a container's network "
              "namespace, or use sandbox.type: local",
              FindingCode::env_container, std::string(action));
}

bool is_number(const std::string& host) {
  in_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

sockaddr_in socket_address(const std::string& address, int port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

// A host that is named by its number is reached by it: the loopback interface gets it as well.
void give_to_loopback(int socket, const std::string& address, std::size_t number) {
  if (address.starts_with("127.")) return;
  ifreq request{};
  const auto name = fmt::format("lo:{}", number);
  std::copy(name.begin(), name.end(), request.ifr_name);
  const auto wanted = socket_address(address, 0);
  std::memcpy(&request.ifr_addr, &wanted, sizeof wanted);
  if (ioctl(socket, SIOCSIFADDR, &request) != 0) refuse("ioctl(SIOCSIFADDR)");
  const auto alone = socket_address("255.255.255.255", 0);
  std::memcpy(&request.ifr_netmask, &alone, sizeof alone);
  if (ioctl(socket, SIOCSIFNETMASK, &request) != 0) refuse("ioctl(SIOCSIFNETMASK)");
}

Descriptor listen_at(const Forward& forward, std::size_t number) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) refuse("socket()");
  give_to_loopback(socket.get(), forward.address, number);
  const auto address = socket_address(forward.address, forward.to.port);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    refuse(fmt::format("bind({}:{})", forward.address, forward.to.port));
  }
  constexpr int waiting = 64;
  if (listen(socket.get(), waiting) != 0) refuse("listen()");
  return socket;
}

asio::awaitable<void> relay(tcp::socket inside, NetworkEndpoint to) {
  tcp::resolver resolver(inside.get_executor());
  const auto [unknown, found] =
      co_await resolver.async_resolve(to.host, std::to_string(to.port), as_result);
  if (unknown) co_return;
  tcp::socket outside(inside.get_executor());
  const auto [refused, endpoint] = co_await asio::async_connect(outside, found, as_result);
  if (refused) co_return;
  co_await carry_streams(inside, outside);
}

asio::awaitable<void> serve(tcp::acceptor acceptor, NetworkEndpoint to) {
  while (auto inside = co_await accept_client(acceptor)) {
    asio::co_spawn(acceptor.get_executor(), relay(std::move(*inside), to), asio::detached);
  }
}

}  // namespace

std::vector<Forward> forwards_to(const std::vector<NetworkEndpoint>& endpoints) {
  std::vector<Forward> forwards;
  int next = 2;
  for (const auto& endpoint : endpoints) {
    const auto known = std::find_if(forwards.begin(), forwards.end(), [&](const Forward& forward) {
      return forward.to.host == endpoint.host;
    });
    if (known != forwards.end()) {
      const bool same = std::any_of(forwards.begin(), forwards.end(), [&](const Forward& forward) {
        return forward.to.host == endpoint.host && forward.to.port == endpoint.port;
      });
      if (!same) forwards.push_back({.to = endpoint, .address = known->address});
    } else if (is_number(endpoint.host)) {
      forwards.push_back({.to = endpoint, .address = endpoint.host});
    } else if (endpoint.host == "localhost") {
      forwards.push_back({.to = endpoint, .address = "127.0.0.1"});
    } else {
      forwards.push_back({.to = endpoint, .address = fmt::format("127.0.0.{}", next++)});
    }
  }
  return forwards;
}

std::string hosts_text(const std::vector<Forward>& forwards) {
  std::string text = "127.0.0.1 localhost\n";
  for (const auto& forward : forwards) {
    const auto line = fmt::format("{} {}\n", forward.address, forward.to.host);
    if (!is_number(forward.to.host) && text.find(line) == std::string::npos) text += line;
  }
  return text;
}

std::vector<int> listen_in_network_of(pid_t process, const std::vector<Forward>& forwards) {
  std::vector<Descriptor> sockets;
  std::exception_ptr failure;
  // In a separate thread: the network namespace belongs to the thread that enters it.
  std::thread([&] {
    try {
      const Descriptor network(
          open(fmt::format("/proc/{}/ns/net", process).c_str(), O_RDONLY | O_CLOEXEC));
      if (network.get() < 0) refuse("open its network namespace");
      if (setns(network.get(), CLONE_NEWNET) != 0) refuse("enter its network namespace");
      for (std::size_t number = 0; number < forwards.size(); ++number) {
        sockets.push_back(listen_at(forwards[number], number));
      }
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  std::vector<int> numbers;
  numbers.reserve(sockets.size());
  for (auto& socket : sockets) numbers.push_back(socket.release());
  return numbers;
}

struct RepositoryRelay::Service {
  asio::io_context context;
  std::thread thread;
};

RepositoryRelay::RepositoryRelay(const std::vector<int>& sockets,
                                 const std::vector<Forward>& forwards)
    : service_(std::make_unique<Service>()) {
  for (std::size_t number = 0; number < sockets.size(); ++number) {
    tcp::acceptor acceptor(service_->context, tcp::v4(), sockets[number]);
    asio::co_spawn(service_->context, serve(std::move(acceptor), forwards.at(number).to),
                   asio::detached);
  }
  service_->thread = std::thread([this] { service_->context.run(); });
}

RepositoryRelay::~RepositoryRelay() {
  service_->context.stop();
  service_->thread.join();
}

}  // namespace pgrehearse
