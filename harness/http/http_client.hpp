// Asks a web server with GET. Two implementations: libcurl, and the script of the unit tests.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

namespace pgrehearse {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// How to be let in, and by whom. Never printed: holds a password.
struct HttpCredentials {
  std::optional<std::filesystem::path> ca;           // absent: the system's authorities
  std::optional<std::filesystem::path> certificate;  // of the client, PEM
  std::optional<std::filesystem::path> key;          // absent: in the certificate's file
  std::string username;                              // basic authentication; empty: none
  std::string password;
};

class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  // The answer whatever its status. Throws Error(environment) when there is none, and
  // Error(interrupted). Safe to use from several threads.
  [[nodiscard]] virtual HttpAnswer get(const std::string& url, std::stop_token stop) const = 0;
};

class CurlHttpClient final : public HttpClient {
 public:
  struct Limits {
    std::chrono::milliseconds connect{std::chrono::seconds(3)};
    std::chrono::milliseconds whole{std::chrono::seconds(8)};
  };
  explicit CurlHttpClient(HttpCredentials credentials)
      : CurlHttpClient(std::move(credentials), {}) {}
  CurlHttpClient(HttpCredentials credentials, Limits limits);

  [[nodiscard]] HttpAnswer get(const std::string& url, std::stop_token stop) const override;

 private:
  HttpCredentials credentials_;
  Limits limits_;
};

}  // namespace pgrehearse
