// The address of a container engine, as docker or podman would find it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "harness/http/curl_http_client.hpp"

namespace pgrehearse {

// Both have the Docker API.
enum class EngineKind { docker, podman };
// "docker", "podman"
std::string_view name_of(EngineKind kind);

// Certificates of a TLS connection, PEM.
struct EngineCertificates {
  std::filesystem::path ca;
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct EngineAddress {
  std::string text;              // "unix:///run/docker.sock", "tcp://127.0.0.1:2376"
  std::filesystem::path socket;  // empty: not a unix socket
  std::string base_url;          // "http://engine", "https://127.0.0.1:2376"
  std::optional<EngineCertificates> certificates;
};

// What the choice depends on; set by tests.
struct EngineSurroundings {
  std::function<std::string(const char* name)> variable;  // of the environment; empty: not set
  std::filesystem::path home;
  bool root = false;
  static EngineSurroundings of_this_process();
};

// `stated` wins; then DOCKER_HOST (podman: CONTAINER_HOST first), then docker's current context,
// then the usual socket. Throws Error(environment, env_engine) for an address of a kind that
// is not known (ssh).
EngineAddress find_engine(EngineKind kind, const std::string& stated,
                          const EngineSurroundings& surroundings);

// For a client of the engine at this address.
CurlHttpClient::Options http_options(const EngineAddress& address);

}  // namespace pgrehearse
