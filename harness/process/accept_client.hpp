// Accepts the clients of a listening socket.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>

namespace pgrehearse {

// The next client; nullopt: the acceptor was closed. After a failure, such as too many open files,
// tries again every 100 ms.
template <class Acceptor>
boost::asio::awaitable<std::optional<typename Acceptor::protocol_type::socket>> accept_client(
    Acceptor& acceptor) {
  constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);
  boost::asio::steady_timer pause(acceptor.get_executor());
  while (true) {
    auto [failure, client] = co_await acceptor.async_accept(as_result);
    if (!failure) co_return std::move(client);
    const bool closed = !acceptor.is_open() || failure == boost::asio::error::operation_aborted;
    if (closed) co_return std::nullopt;
    pause.expires_after(std::chrono::milliseconds(100));
    const auto [cancelled] = co_await pause.async_wait(as_result);
    if (cancelled) co_return std::nullopt;
  }
}

}  // namespace pgrehearse
