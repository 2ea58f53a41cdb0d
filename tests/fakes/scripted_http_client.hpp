// Answers each url as it was told; a url without an answer refuses the connection.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/http/http_client.hpp"

namespace pgrehearse {

struct HttpScript {
  std::map<std::string, HttpAnswer> answers;
  std::vector<std::string> asked;
  std::mutex mutex;
};

class ScriptedHttpClient final : public HttpClient {
 public:
  // The script outlives the client.
  explicit ScriptedHttpClient(HttpScript& script) : script_(script) {}

  [[nodiscard]] HttpAnswer get(const std::string& url, std::stop_token /*stop*/) const override {
    const std::scoped_lock lock(script_.mutex);
    script_.asked.push_back(url);
    const auto found = script_.answers.find(url);
    if (found == script_.answers.end()) {
      throw Error(ErrorKind::environment, "connection refused");
    }
    return found->second;
  }

 private:
  HttpScript& script_;
};

}  // namespace pgrehearse
