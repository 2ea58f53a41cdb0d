// Returns a scripted response for each URL; a URL that is not in the script refuses the connection.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/http/http_client.hpp"

namespace pgrehearse {

struct HttpScript {
  std::map<std::string, HttpResponse> responses;
  std::vector<std::string> requested;         // URLs, in this order
  std::vector<std::string> with_credentials;  // those that got them
  std::mutex mutex;
};

class ScriptedHttpClient final : public HttpClient {
 public:
  // The script must outlive the client.
  explicit ScriptedHttpClient(HttpScript& script) : script_(script) {}

  [[nodiscard]] HttpResponse send(const HttpRequest& request,
                                  const std::stop_token& stop) const override {
    throw_if_stopped(stop);
    const std::scoped_lock lock(script_.mutex);
    script_.requested.push_back(request.url);
    if (request.with_credentials) script_.with_credentials.push_back(request.url);
    const auto found = script_.responses.find(request.url);
    if (found == script_.responses.end()) {
      throw Error(ErrorKind::environment, "connection refused");
    }
    return found->second;
  }

 private:
  HttpScript& script_;
};

}  // namespace pgrehearse
