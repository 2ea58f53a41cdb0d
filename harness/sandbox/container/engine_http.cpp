#include "harness/sandbox/container/engine_http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
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

struct Transfer {
  CURL* easy = nullptr;
  const EngineHttp::OnData* on_data = nullptr;  // nullptr: everything goes to the body
  EngineAnswer answer;
  std::array<char, CURL_ERROR_SIZE> error{};

  int status() {
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    answer.status = static_cast<int>(code);
    return answer.status;
  }
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* object) {
  auto& transfer = *static_cast<Transfer*>(object);
  const std::string_view piece(data, size * count);
  if (transfer.on_data != nullptr && transfer.status() == http_ok) {
    (*transfer.on_data)(piece);
  } else {
    transfer.answer.body += piece;
  }
  return piece.size();
}

void set_address(CURL* easy, const EngineAddress& address) {
  constexpr long connect_milliseconds = 5000;
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_milliseconds);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  if (!address.socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, address.socket.c_str());
  }
  if (address.certificates) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, address.certificates->ca.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLCERT, address.certificates->certificate.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, address.certificates->key.c_str());
  }
}

// The headers live as long as the transfer.
Headers set_request(CURL* easy, const EngineRequest& request) {
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

// Runs the one transfer until it ends or is to stop.
CURLcode perform(CURL* easy, const std::stop_token& stop) {
  const Multi multi(curl_multi_init(), &curl_multi_cleanup);
  if (!multi) throw Error(ErrorKind::environment, "out of memory");
  const std::stop_callback wake(stop, [&multi] { curl_multi_wakeup(multi.get()); });
  curl_multi_add_handle(multi.get(), easy);
  int running = 1;
  CURLMcode trouble = CURLM_OK;
  while (running > 0 && trouble == CURLM_OK && !stop.stop_requested()) {
    trouble = curl_multi_perform(multi.get(), &running);
    if (running > 0 && trouble == CURLM_OK) {
      constexpr int milliseconds = 1000;  // a stop request wakes it before
      trouble = curl_multi_poll(multi.get(), nullptr, 0, milliseconds, nullptr);
    }
  }
  int left = 0;
  const auto* message = curl_multi_info_read(multi.get(), &left);
  const CURLcode result = message != nullptr ? message->data.result : CURLE_ABORTED_BY_CALLBACK;
  curl_multi_remove_handle(multi.get(), easy);
  return result;
}

// For a socket libcurl's own words speak of a port.
std::string reason_of(CURLcode code, const Transfer& transfer, bool socket) {
  long number = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &number);
  if (socket && code == CURLE_COULDNT_CONNECT && number != 0) {
    return std::generic_category().message(static_cast<int>(number));
  }
  const std::string detail(trim(transfer.error.data()));
  return detail.empty() ? curl_easy_strerror(code) : detail;
}

}  // namespace

EngineHttp::EngineHttp(EngineAddress address) : address_(std::move(address)) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw Error(ErrorKind::environment, curl_easy_strerror(initialised));
}

EngineAnswer EngineHttp::follow(const EngineRequest& request, const OnData& on_data,
                                const std::stop_token& stop) const {
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) throw Error(ErrorKind::environment, "out of memory");
  Transfer transfer{.easy = easy.get(), .on_data = on_data ? &on_data : nullptr, .answer = {}};
  const auto url = address_.base_url + request.path;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, transfer.error.data());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &transfer);
  set_address(easy.get(), address_);
  const auto headers = set_request(easy.get(), request);
  const auto code = perform(easy.get(), stop);
  const bool began = transfer.status() != 0;
  if (code == CURLE_OK || (began && transfer.on_data != nullptr)) return std::move(transfer.answer);
  throw_if_stopped(stop);
  throw Error(ErrorKind::environment,
              fmt::format("the container engine at {} does not answer: {}", address_.text,
                          reason_of(code, transfer, !address_.socket.empty())),
              "start it, let this account use its socket, or name another one with sandbox.engine",
              "PGR-ENV-ENGINE", address_.text);
}

EngineAnswer EngineHttp::ask(const EngineRequest& request, const std::stop_token& stop) const {
  return follow(request, {}, stop);
}

std::string url_encoded(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~-";
  std::string encoded;
  for (const char c : text) {
    if (plain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace pgrehearse
