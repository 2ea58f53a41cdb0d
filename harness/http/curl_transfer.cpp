#include "harness/http/curl_transfer.hpp"

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;

}  // namespace

void initialize_curl() {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK) throw Error(ErrorKind::environment, curl_easy_strerror(initialized));
}

CurlEasy new_curl_transfer() {
  CurlEasy easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) throw Error(ErrorKind::environment, "out of memory");
  return easy;
}

CURLcode perform_curl_transfer(CURL* easy, const std::stop_token& stop) {
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

}  // namespace pgrehearse
