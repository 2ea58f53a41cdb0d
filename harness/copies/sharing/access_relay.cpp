#include "harness/copies/sharing/access_relay.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "harness/common/error.hpp"
#include "harness/postgres/protocol/messages.hpp"
#include "harness/postgres/protocol/startup_packet.hpp"
#include "harness/process/accept_client.hpp"
#include "harness/process/carry_streams.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/socket_peer.hpp"

namespace pgrehearse {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view refused_authorization = "28000";
constexpr std::string_view wrong_password = "28P01";
constexpr std::string_view protocol_violation = "08P01";
constexpr std::string_view cannot_connect_now = "57P03";

// Reads a length and what it counts, itself included; nullopt: not well-formed, or no more.
template <class Socket>
asio::awaitable<std::optional<std::string>> read_counted(Socket& socket) {
  std::string length(4, '\0');
  const auto [failure, size] = co_await asio::async_read(socket, asio::buffer(length), as_result);
  if (failure) co_return std::nullopt;
  const std::size_t total = number_from_wire(length);
  if (total < 4 || total > longest_startup_packet) co_return std::nullopt;
  std::string body(total - 4, '\0');
  const auto [early, ignored] = co_await asio::async_read(socket, asio::buffer(body), as_result);
  if (early) co_return std::nullopt;
  co_return body;
}

template <class Socket>
asio::awaitable<void> send(Socket& socket, std::string text) {
  co_await asio::async_write(socket, asio::buffer(text), as_result);
}

std::optional<ucred> peer_of(Local::socket& client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(client.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return peer;
}

}  // namespace

struct AccessRelay::Service {
  explicit Service(AccessRelayOptions given) : options(std::move(given)) {}

  bool may_use(Local::socket& client) const {
    const auto peer = peer_of(client);
    if (!peer) return false;
    if (peer->uid == geteuid() || options.accounts.contains(peer->uid)) return true;
    if (options.groups.contains(peer->gid)) return true;
    const auto account = find_account(peer->uid);
    return account && std::ranges::any_of(account->groups, [&](gid_t group) {
             return options.groups.contains(group);
           });
  }

  template <class Socket>
  asio::awaitable<bool> knows_password(Socket& client) {
    co_await send(client, cleartext_password_request());
    std::array<char, 1> type{};
    const auto [failure, size] = co_await asio::async_read(client, asio::buffer(type), as_result);
    if (failure || type[0] != 'p') co_return false;
    auto body = co_await read_counted(client);
    if (!body) co_return false;
    if (body->ends_with('\0')) body->pop_back();
    const auto& password = options.password;
    if (body->size() == password.size() &&
        CRYPTO_memcmp(body->data(), password.data(), password.size()) == 0) {
      co_return true;
    }
    asio::steady_timer pause(client.get_executor(), std::chrono::seconds(1));
    co_await pause.async_wait(as_result);
    co_await send(
        client,
        error_message("FATAL", wrong_password,
                      fmt::format("password authentication failed for user \"{}\"", options.role)));
    co_return false;
  }

  // The client's packet that begins a session or cancels a query, as received; nullopt: refused.
  template <class Socket>
  asio::awaitable<std::optional<std::string>> admit(Socket& client, bool ask_password) {
    using Kind = StartupPacket::Kind;
    // A client asks for each kind of encryption once.
    for (int requests = 0; requests < 3; ++requests) {
      auto body = co_await read_counted(client);
      if (!body) co_return std::nullopt;
      const auto packet = parse_startup_packet(*body);
      if (packet.kind == Kind::ssl_request || packet.kind == Kind::gss_request) {
        co_await send(client, "N");
        continue;
      }
      if (packet.kind == Kind::invalid) {
        co_await send(client, error_message("FATAL", protocol_violation, "invalid startup packet"));
        co_return std::nullopt;
      }
      if (packet.kind == Kind::startup && packet.user != options.role) {
        co_await send(client, error_message("FATAL", refused_authorization,
                                            fmt::format("this copy is shared as role \"{}\" only",
                                                        options.role)));
        co_return std::nullopt;
      }
      if (packet.kind == Kind::startup && ask_password && !co_await knows_password(client)) {
        co_return std::nullopt;
      }
      co_return number_to_wire(static_cast<std::uint32_t>(body->size() + 4)) + *body;
    }
    co_return std::nullopt;
  }

  template <class Socket>
  asio::awaitable<void> session(Socket client, bool ask_password) {
    // NOLINTNEXTLINE(google-build-using-namespace)
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer deadline(client.get_executor(), std::chrono::minutes(1));
    const auto admitted = co_await (admit(client, ask_password) || deadline.async_wait(as_result));
    if (admitted.index() != 0 || !std::get<0>(admitted)) co_return;
    Local::socket server(client.get_executor());
    const auto [failure] =
        co_await server.async_connect(Local::endpoint(options.socket.native()), as_result);
    if (failure || peer_of_socket(options.socket, options.data) == SocketPeer::other) {
      co_await send(client, error_message("FATAL", cannot_connect_now, "the copy is not running"));
      co_return;
    }
    co_await send(server, *std::get<0>(admitted));
    co_await carry_streams(client, server);
  }

  asio::awaitable<void> serve_accounts() {
    while (auto client = co_await accept_client(*accounts)) {
      if (!may_use(*client)) {
        asio::co_spawn(context,
                       refuse(std::move(*client),
                              "this account may not use the copy: see 'copies share --allow'"),
                       asio::detached);
        continue;
      }
      asio::co_spawn(context, session(std::move(*client), false), asio::detached);
    }
  }

  asio::awaitable<void> refuse(Local::socket client, std::string why) {
    // NOLINTNEXTLINE(google-build-using-namespace)
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer deadline(client.get_executor(), std::chrono::minutes(1));
    const auto packet = co_await (read_counted(client) || deadline.async_wait(as_result));
    if (packet.index() == 0)
      co_await send(client, error_message("FATAL", refused_authorization, why));
  }

  asio::awaitable<void> serve_loopback() {
    while (auto client = co_await accept_client(*loopback)) {
      asio::co_spawn(context, session(std::move(*client), true), asio::detached);
    }
  }

  AccessRelayOptions options;
  asio::io_context context{1};
  std::optional<Local::acceptor> accounts;
  std::optional<tcp::acceptor> loopback;
};

AccessRelay::AccessRelay(AccessRelayOptions options)
    : service_(std::make_unique<Service>(std::move(options))) {
  auto& service = *service_;
  const auto& given = service.options;
  try {
    // As libpq builds the name of a socket in the abstract namespace.
    const Local::endpoint name(std::string(1, '\0') + given.name + "/.s.PGSQL.5432");
    service.accounts.emplace(service.context, name);
  } catch (const boost::system::system_error& error) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot listen on @{}: {}", given.name, error.code().message()),
                "the copy may be shared already by another 'pgrehearse copies share'");
  }
  if (!given.port) return;
  try {
    service.loopback.emplace(service.context,
                             tcp::endpoint(asio::ip::address_v4::loopback(), *given.port));
  } catch (const boost::system::system_error& error) {
    throw Error(
        ErrorKind::environment,
        fmt::format("cannot listen on 127.0.0.1:{}: {}", *given.port, error.code().message()),
        "without --port, a free port is chosen");
  }
}

AccessRelay::~AccessRelay() = default;

std::uint16_t AccessRelay::port() const {
  return service_->loopback ? service_->loopback->local_endpoint().port() : 0;
}

void AccessRelay::run(std::optional<std::chrono::milliseconds> time, const std::stop_token& stop) {
  auto& service = *service_;
  asio::co_spawn(service.context, service.serve_accounts(), asio::detached);
  if (service.loopback) {
    asio::co_spawn(service.context, service.serve_loopback(), asio::detached);
  }
  const std::stop_callback end(
      stop, [&] { asio::post(service.context, [&] { service.context.stop(); }); });
  if (time) {
    service.context.run_for(*time);
  } else {
    service.context.run();
  }
}

}  // namespace pgrehearse
