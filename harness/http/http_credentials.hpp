#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace pgrehearse {

// TLS and basic authentication of a request. Never print it: it holds a password.
struct HttpCredentials {
  std::optional<std::filesystem::path> ca;           // absent: the system's authorities
  std::optional<std::filesystem::path> certificate;  // of the client, PEM
  std::optional<std::filesystem::path> key;          // absent: in the certificate's file
  std::string username;                              // empty: no basic authentication
  std::string password;
};

}  // namespace pgrehearse
