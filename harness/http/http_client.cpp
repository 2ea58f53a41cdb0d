#include "harness/http/http_client.hpp"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"

namespace pgrehearse {

namespace {

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;

// A cluster of hundreds of members needs less; a wrong address may send without end.
constexpr std::size_t longest_body = std::size_t{4} << 20U;

std::size_t keep(char* data, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size * count > longest_body) return 0;
  text.append(data, size * count);
  return size * count;
}

struct Transfer {
  std::string body;
  std::array<char, CURL_ERROR_SIZE> error{};
};

void set_limits(CURL* easy, const CurlHttpClient::Limits& limits) {
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.whole.count()));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // The REST API is on the inside; a proxy for the outside that the environment names is not meant.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

void set_credentials(CURL* easy, const HttpCredentials& credentials) {
  const auto set_file = [easy](CURLoption option, const auto& file) {
    if (file) curl_easy_setopt(easy, option, file->c_str());
  };
  set_file(CURLOPT_CAINFO, credentials.ca);
  set_file(CURLOPT_SSLCERT, credentials.certificate);
  set_file(CURLOPT_SSLKEY, credentials.key);
  if (credentials.username.empty()) return;
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  curl_easy_setopt(easy, CURLOPT_USERNAME, credentials.username.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, credentials.password.c_str());
}

std::string reason_of(CURLcode code, const Transfer& transfer) {
  if (code == CURLE_WRITE_ERROR) return "the answer is longer than 4 MB";
  const std::string detail(trim(transfer.error.data()));
  return detail.empty() ? curl_easy_strerror(code) : detail;
}

// Runs the one transfer to its end; a stop request wakes it.
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
      trouble = curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
    }
  }
  int left = 0;
  const auto* message = curl_multi_info_read(multi.get(), &left);
  const CURLcode result = message != nullptr ? message->data.result : CURLE_ABORTED_BY_CALLBACK;
  curl_multi_remove_handle(multi.get(), easy);
  throw_if_stopped(stop);
  return result;
}

}  // namespace

CurlHttpClient::CurlHttpClient(HttpCredentials credentials, Limits limits)
    : credentials_(std::move(credentials)), limits_(limits) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw Error(ErrorKind::environment, curl_easy_strerror(initialised));
}

HttpAnswer CurlHttpClient::get(const std::string& url, std::stop_token stop) const {
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) throw Error(ErrorKind::environment, "out of memory");
  Transfer transfer;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, transfer.error.data());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &keep);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &transfer.body);
  set_limits(easy.get(), limits_);
  set_credentials(easy.get(), credentials_);
  const auto code = perform(easy.get(), stop);
  if (code != CURLE_OK) throw Error(ErrorKind::environment, reason_of(code, transfer));
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return {.status = static_cast<int>(status), .body = std::move(transfer.body)};
}

}  // namespace pgrehearse
