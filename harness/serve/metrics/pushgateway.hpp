// Sends metrics to a Pushgateway.
#pragma once

#include <stop_token>
#include <string>

#include "harness/http/http_client.hpp"

namespace pgrehearse {

// Replaces the metrics of the group { job="pgrehearse", scenario="..." }: a sample that is absent
// now disappears there. Throws Error(environment), also when the Pushgateway rejects them.
void push_metrics(const HttpClient& http, const std::string& url, const std::string& scenario,
                  const std::string& text, const std::stop_token& stop);

}  // namespace pgrehearse
