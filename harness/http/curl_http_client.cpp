#include "harness/http/curl_http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/http/curl_transfer.hpp"

namespace pgrehearse {

namespace {

constexpr int http_ok = 200;

// One request and what has arrived of its response.
struct Transfer {
  CURL* easy = nullptr;
  const CurlHttpClient::OnData* on_data = nullptr;  // nullptr: the body is kept in any case
  Bytes longest_body;
  HttpResponse response;
  bool too_long = false;
  std::exception_ptr failure;  // of on_data: libcurl cannot pass exceptions on
  std::array<char, CURL_ERROR_SIZE> error{};

  int status() {
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    return response.status = static_cast<int>(code);
  }

  // False ends the transfer.
  bool take(std::string_view piece) {
    if (on_data != nullptr && status() == http_ok) {
      (*on_data)(piece);
      return true;
    }
    too_long = response.body.size() + piece.size() > longest_body.count;
    if (!too_long) response.body += piece;
    return !too_long;
  }
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* object) {
  auto& transfer = *static_cast<Transfer*>(object);
  try {
    return transfer.take({data, size * count}) ? size * count : 0;
  } catch (...) {
    transfer.failure = std::current_exception();
    return 0;
  }
}

void set_connection(CURL* easy, const CurlHttpClient::Options& options) {
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  if (!options.proxy_from_environment) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (!options.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options.unix_socket.c_str());
  }
}

void set_credentials(CURL* easy, const HttpCredentials& credentials, bool of_client) {
  const auto set_file = [easy](CURLoption option, const auto& file) {
    if (file) curl_easy_setopt(easy, option, file->c_str());
  };
  set_file(CURLOPT_CAINFO, credentials.ca);
  if (!of_client) return;
  set_file(CURLOPT_SSLCERT, credentials.certificate);
  set_file(CURLOPT_SSLKEY, credentials.key);
  if (credentials.username.empty()) return;
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  curl_easy_setopt(easy, CURLOPT_USERNAME, credentials.username.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, credentials.password.c_str());
}

// The headers must outlive the transfer.
CurlHeaders set_request(CURL* easy, const HttpRequest& request) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  CurlHeaders headers(curl_slist_append(nullptr, "Expect:"), &curl_slist_free_all);
  if (request.method == "POST" || !request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_slist_append(headers.get(), ("Content-Type: " + request.content_type).c_str());
  }
  for (const auto& header : request.headers) curl_slist_append(headers.get(), header.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  return headers;
}

std::string reason_of(CURLcode code, const Transfer& transfer, bool is_socket) {
  if (transfer.too_long) {
    return fmt::format("the response is longer than {}", to_text(transfer.longest_body));
  }
  long number = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &number);
  // libcurl's own message names a host and a port.
  if (is_socket && code == CURLE_COULDNT_CONNECT && number != 0) {
    return std::generic_category().message(static_cast<int>(number));
  }
  const std::string detail(trim(transfer.error.data()));
  return detail.empty() ? curl_easy_strerror(code) : detail;
}

HttpResponse exchange(const CurlHttpClient::Options& options, const HttpRequest& request,
                      const CurlHttpClient::OnData* on_data, const std::stop_token& stop) {
  const auto easy = new_curl_transfer();
  Transfer transfer{.easy = easy.get(),
                    .on_data = on_data,
                    .longest_body = options.longest_body,
                    .response = {},
                    .failure = nullptr};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, transfer.error.data());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &transfer);
  set_connection(easy.get(), options);
  set_credentials(easy.get(), options.credentials, request.with_credentials);
  const auto headers = set_request(easy.get(), request);
  const auto code = perform_curl_transfer(easy.get(), stop);
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  const bool has_begun = transfer.status() != 0 && on_data != nullptr && !transfer.too_long;
  if (code == CURLE_OK || has_begun) return std::move(transfer.response);
  throw_if_stopped(stop);
  throw Error(ErrorKind::environment, reason_of(code, transfer, !options.unix_socket.empty()));
}

}  // namespace

CurlHttpClient::CurlHttpClient(Options options) : options_(std::move(options)) {
  initialize_curl();
}

HttpResponse CurlHttpClient::send(const HttpRequest& request, const std::stop_token& stop) const {
  return exchange(options_, request, nullptr, stop);
}

HttpResponse CurlHttpClient::stream(const HttpRequest& request, const OnData& on_data,
                                    const std::stop_token& stop) const {
  return exchange(options_, request, &on_data, stop);
}

}  // namespace pgrehearse
