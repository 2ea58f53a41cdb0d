// Carries bytes between two connected sockets.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <vector>

namespace pgrehearse {

// One direction, to its end; then no more is sent to `to`.
template <class From, class To>
boost::asio::awaitable<void> carry_stream(From& from, To& to) {
  constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);
  std::vector<char> buffer(std::size_t{64} << 10U);
  boost::system::error_code ignored;
  while (true) {
    const auto [end, length] =
        co_await from.async_read_some(boost::asio::buffer(buffer), as_result);
    if (end) break;
    const auto [failure, written] = co_await boost::asio::async_write(
        to, boost::asio::buffer(buffer.data(), length), as_result);
    if (!failure) continue;
    from.shutdown(From::shutdown_receive, ignored);
    break;
  }
  to.shutdown(To::shutdown_send, ignored);
}

// Both directions, until both have ended.
template <class One, class Other>
boost::asio::awaitable<void> carry_streams(One& one, Other& other) {
  // NOLINTNEXTLINE(google-build-using-namespace)
  using namespace boost::asio::experimental::awaitable_operators;
  co_await (carry_stream(one, other) && carry_stream(other, one));
}

}  // namespace pgrehearse
