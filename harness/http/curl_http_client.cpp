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

namespace pgrehearse {

namespace {

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

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
  // The servers are on the internal network; a proxy in the environment is for the Internet.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
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
Headers set_request(CURL* easy, const HttpRequest& request) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  Headers headers(curl_slist_append(nullptr, "Expect:"), &curl_slist_free_all);
  if (request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_slist_append(headers.get(), "Content-Type: application/json");
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  return headers;
}

// Runs the transfer to its end, or until a stop request.
CURLcode perform(CURL* easy, const std::stop_token& stop) {
  const Multi multi(curl_multi_init(), &curl_multi_cleanup);
  if (!multi) throw Error(ErrorKind::environment, "out of memory");
  const std::stop_callback wake(stop, [&multi] { curl_multi_wakeup(multi.get()); });
  curl_multi_add_handle(multi.get(), easy);
  int running = 1;
  CURLMcode failure = CURLM_OK;
  while (running > 0 && failure == CURLM_OK && !stop.stop_requested()) {
    failure = curl_multi_perform(multi.get(), &running);
    if (running > 0 && failure == CURLM_OK) {
      constexpr int milliseconds = 1000;
      failure = curl_multi_poll(multi.get(), nullptr, 0, milliseconds, nullptr);
    }
  }
  int left = 0;
  const auto* message = curl_multi_info_read(multi.get(), &left);
  const CURLcode result = message != nullptr ? message->data.result : CURLE_ABORTED_BY_CALLBACK;
  curl_multi_remove_handle(multi.get(), easy);
  return result;
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
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) throw Error(ErrorKind::environment, "out of memory");
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
  const auto code = perform(easy.get(), stop);
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  const bool has_begun = transfer.status() != 0 && on_data != nullptr && !transfer.too_long;
  if (code == CURLE_OK || has_begun) return std::move(transfer.response);
  throw_if_stopped(stop);
  throw Error(ErrorKind::environment, reason_of(code, transfer, !options.unix_socket.empty()));
}

}  // namespace

CurlHttpClient::CurlHttpClient(Options options) : options_(std::move(options)) {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK) throw Error(ErrorKind::environment, curl_easy_strerror(initialized));
}

HttpResponse CurlHttpClient::send(const HttpRequest& request, const std::stop_token& stop) const {
  return exchange(options_, request, nullptr, stop);
}

HttpResponse CurlHttpClient::stream(const HttpRequest& request, const OnData& on_data,
                                    const std::stop_token& stop) const {
  return exchange(options_, request, &on_data, stop);
}

}  // namespace pgrehearse
