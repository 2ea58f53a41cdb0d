// What HTTP and mail share of libcurl.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <stop_token>

namespace pgrehearse {

using CurlEasy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using CurlHeaders = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

// Before the first transfer. Throws Error(environment).
void initialize_curl();

// Never nullptr. Throws Error(environment).
CurlEasy new_curl_transfer();

// Runs the transfer to its end, or until a stop request: CURLE_ABORTED_BY_CALLBACK.
CURLcode perform_curl_transfer(CURL* easy, const std::stop_token& stop);

}  // namespace pgrehearse
