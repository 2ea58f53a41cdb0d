// HTTP requests. Two implementations: libcurl, and the scripted client of the unit tests.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace pgrehearse {

struct HttpRequest {
  std::string url;
  std::string method = "GET";
  std::string body = {};
  std::chrono::milliseconds timeout{std::chrono::seconds(8)};  // of the whole exchange; 0: none
  // False for addresses that come from a server: they get neither password nor certificate.
  bool with_credentials = true;
  std::string content_type = "application/json";  // of the body
  std::vector<std::string> headers = {};          // "Name: value"; may contain secrets
};

struct HttpResponse {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  HttpClient() = default;
  virtual ~HttpClient() = default;

  // Returns the response whatever its status. Throws Error(environment) if there is none, and
  // Error(interrupted). Safe to use from several threads.
  [[nodiscard]] virtual HttpResponse send(const HttpRequest& request,
                                          const std::stop_token& stop) const = 0;

 protected:
  HttpClient(const HttpClient&) = default;
  HttpClient& operator=(const HttpClient&) = default;
};

}  // namespace pgrehearse
