#include "harness/notify/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

bool is_temporary(int status) {
  constexpr int request_timeout = 408;
  constexpr int too_early = 425;
  constexpr int too_many_requests = 429;
  constexpr int server_error = 500;
  return status == request_timeout || status == too_early || status == too_many_requests ||
         status >= server_error;
}

HttpResponse response_to(const Attempt& attempt, const HttpRequest& request) {
  try {
    return attempt.transports.http.send(request, attempt.stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    throw DeliveryError(error.what(), true);
  }
}

}  // namespace

void post_json(const Attempt& attempt, const std::string& url, const std::string& body,
               std::vector<std::string> headers) {
  exchange(attempt, {.url = url, .method = "POST", .body = body, .headers = std::move(headers)});
}

void exchange(const Attempt& attempt, HttpRequest request) {
  // Leaves time for another attempt.
  request.timeout = std::min(attempt.timeout, std::chrono::milliseconds(std::chrono::seconds(20)));
  const auto response = response_to(attempt, request);
  constexpr int first_success = 200;
  constexpr int first_redirect = 300;
  if (response.status >= first_success && response.status < first_redirect) return;
  constexpr std::size_t longest = 200;
  const auto body = shortened(printable_on_one_line(response.body), longest);
  throw DeliveryError(
      fmt::format("HTTP status {}{}{}", response.status, body.empty() ? "" : ": ", body),
      is_temporary(response.status));
}

}  // namespace pgrehearse
