// HTTP with libcurl, over TCP, TLS or a unix socket. Each request opens its own connection, so any
// thread, and the child of a fork(), may send one.
#pragma once

#include <functional>
#include <string_view>

#include "harness/common/units.hpp"
#include "harness/http/http_client.hpp"
#include "harness/http/http_credentials.hpp"

namespace pgrehearse {

class CurlHttpClient final : public HttpClient {
 public:
  struct Options {
    HttpCredentials credentials = {};
    std::filesystem::path unix_socket = {};  // empty: TCP to the host of the URL
    std::chrono::milliseconds connect_timeout{std::chrono::seconds(3)};
    // Internal servers are reached directly; a proxy in the environment is for the Internet.
    bool proxy_from_environment = false;
    // A longer body is an error, since a wrong address may send without end. Not for stream().
    Bytes longest_body{std::uint64_t{4} << 20U};
  };
  explicit CurlHttpClient(Options options);

  [[nodiscard]] HttpResponse send(const HttpRequest& request,
                                  const std::stop_token& stop) const override;

  using OnData = std::function<void(std::string_view piece)>;
  // Passes the body of a response with status 200 to `on_data` as it arrives; any other response
  // is returned with its body. Like send(), but does not throw when the connection breaks or a
  // stop is requested after the response has begun.
  [[nodiscard]] HttpResponse stream(const HttpRequest& request, const OnData& on_data,
                                    const std::stop_token& stop) const;

 private:
  Options options_;
};

}  // namespace pgrehearse
