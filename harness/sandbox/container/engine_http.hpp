// Requests to a container engine over its socket, with libcurl. Each has a connection of its own,
// so that any thread, and a child of fork(), may make them.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/sandbox/container/engine_address.hpp"

namespace pgrehearse {

struct EngineAnswer {
  int status = 0;
  std::string body;
};

struct EngineRequest {
  std::string method = "GET";
  std::string path;                                            // "/containers/json?all=1"
  std::string body = {};                                       // JSON
  std::chrono::milliseconds timeout{std::chrono::minutes(2)};  // 0: none
};

class EngineHttp {
 public:
  explicit EngineHttp(EngineAddress address);

  // The answer whatever its status. Throws Error(environment, PGR-ENV-ENGINE) when there is none,
  // and Error(interrupted).
  [[nodiscard]] EngineAnswer ask(const EngineRequest& request, const std::stop_token& stop) const;

  using OnData = std::function<void(std::string_view piece)>;
  // Passes the body on as it comes, until its end. An answer of another status than 200 is
  // returned with its body. Does not throw when the connection breaks, or a stop ends it, after
  // the answer began.
  [[nodiscard]] EngineAnswer follow(const EngineRequest& request, const OnData& on_data,
                                    const std::stop_token& stop) const;

  [[nodiscard]] const EngineAddress& address() const { return address_; }

 private:
  EngineAddress address_;
};

// For a part of a path or a query.
std::string url_encoded(std::string_view text);

}  // namespace pgrehearse
