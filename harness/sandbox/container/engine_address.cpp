#include "harness/sandbox/container/engine_address.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// The value at a JSON pointer in a file; empty if it does not exist.
std::string text_in(const fs::path& file, const std::string& pointer) {
  std::ifstream stream(file);
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  if (json.is_discarded()) return {};
  const nlohmann::json::json_pointer place(pointer);
  return json.contains(place) && json[place].is_string() ? json[place].get<std::string>()
                                                         : std::string();
}

// The directory of a context is named after a hash of the context's name.
std::string host_of_context(const EngineSurroundings& surroundings) {
  const auto stated = surroundings.variable("DOCKER_CONFIG");
  const fs::path directory = stated.empty() ? surroundings.home / ".docker" : fs::path(stated);
  auto name = surroundings.variable("DOCKER_CONTEXT");
  if (name.empty()) name = text_in(directory / "config.json", "/currentContext");
  if (name.empty() || name == "default") return {};
  std::error_code none;
  for (fs::directory_iterator entry(directory / "contexts/meta", none), end; !none && entry != end;
       entry.increment(none)) {
    const auto file = entry->path() / "meta.json";
    if (text_in(file, "/Name") == name) return text_in(file, "/Endpoints/docker/Host");
  }
  return {};
}

std::string usual_socket(EngineKind kind, const EngineSurroundings& surroundings) {
  if (kind == EngineKind::docker) return "unix:///var/run/docker.sock";
  const auto own = surroundings.variable("XDG_RUNTIME_DIR");
  if (surroundings.root || own.empty()) return "unix:///run/podman/podman.sock";
  return fmt::format("unix://{}/podman/podman.sock", own);
}

std::string choose(EngineKind kind, const std::string& stated,
                   const EngineSurroundings& surroundings) {
  if (!stated.empty()) return stated;
  if (kind == EngineKind::podman) {
    const auto host = surroundings.variable("CONTAINER_HOST");
    return host.empty() ? usual_socket(kind, surroundings) : host;
  }
  if (auto host = surroundings.variable("DOCKER_HOST"); !host.empty()) return host;
  if (auto host = host_of_context(surroundings); !host.empty()) return host;
  return usual_socket(kind, surroundings);
}

std::optional<EngineCertificates> certificates_of(const EngineSurroundings& surroundings) {
  const auto path = surroundings.variable("DOCKER_CERT_PATH");
  if (path.empty() && surroundings.variable("DOCKER_TLS_VERIFY").empty()) return {};
  const auto directory = path.empty() ? surroundings.home / ".docker" : fs::path(path);
  return EngineCertificates{.ca = directory / "ca.pem",
                            .certificate = directory / "cert.pem",
                            .key = directory / "key.pem"};
}

}  // namespace

std::string_view name_of(EngineKind kind) {
  return kind == EngineKind::docker ? "docker" : "podman";
}

EngineSurroundings EngineSurroundings::of_this_process() {
  return {.variable =
              [](const char* name) {
                const char* value = std::getenv(name);
                return std::string(value == nullptr ? "" : value);
              },
          .home = current_account().home,
          .root = geteuid() == 0};
}

EngineAddress find_engine(EngineKind kind, const std::string& stated,
                          const EngineSurroundings& surroundings) {
  const auto text = choose(kind, stated, surroundings);
  constexpr std::string_view local = "unix://";
  constexpr std::string_view network = "tcp://";
  if (text.starts_with(local)) {
    return {.text = text, .socket = text.substr(local.size()), .base_url = "http://engine"};
  }
  if (text.starts_with(network)) {
    const auto certificates = certificates_of(surroundings);
    return {.text = text,
            .base_url = (certificates ? "https://" : "http://") + text.substr(network.size()),
            .certificates = certificates};
  }
  throw Error(
      ErrorKind::environment, fmt::format("unsupported address '{}' of {}", text, name_of(kind)),
      "set sandbox.engine to unix:///path or tcp://host:port", FindingCode::env_engine, text);
}

CurlHttpClient::Options http_options(const EngineAddress& address) {
  CurlHttpClient::Options options{.unix_socket = address.socket,
                                  .connect_timeout = std::chrono::seconds(5),
                                  .longest_body = {std::uint64_t{64} << 20U}};
  if (address.certificates) {
    options.credentials = {.ca = address.certificates->ca,
                           .certificate = address.certificates->certificate,
                           .key = address.certificates->key};
  }
  return options;
}

}  // namespace pgrehearse
