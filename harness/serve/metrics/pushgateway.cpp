#include "harness/serve/metrics/pushgateway.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/http/url_encoding.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/serve/metrics/metrics_text.hpp"

namespace pgrehearse {

void push_metrics(const HttpClient& http, const std::string& url, const std::string& scenario,
                  const std::string& text, const std::stop_token& stop) {
  const auto group = fmt::format("{}{}metrics/job/pgrehearse/scenario/{}", url,
                                 url.ends_with('/') ? "" : "/", url_encoded(scenario));
  HttpResponse response;
  try {
    response = http.send(
        {.url = group, .method = "PUT", .body = text, .content_type = metrics_content_type}, stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    throw Error(ErrorKind::environment,
                fmt::format("cannot push metrics to {}: {}", url, error.what()),
                "check the address of the Pushgateway");
  }
  constexpr int first_success = 200;
  constexpr int first_redirect = 300;
  if (response.status >= first_success && response.status < first_redirect) return;
  throw Error(ErrorKind::environment,
              fmt::format("the Pushgateway {} rejected the metrics: HTTP status {}: {}", url,
                          response.status, cut_to(printable_on_one_line(response.body), 200)),
              "see its log");
}

}  // namespace pgrehearse
