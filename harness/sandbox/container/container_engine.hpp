// Client of a container engine, for the part of the Docker API that podman also has.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/http/curl_http_client.hpp"
#include "harness/sandbox/container/engine_address.hpp"

namespace pgrehearse {

struct ImageFacts {
  std::string id;            // "sha256:..."
  std::string architecture;  // "amd64"
};

struct ContainerState {
  bool running = false;
  int process = 0;  // process id of process 1 on this host
  bool out_of_memory = false;
  int exit_code = 0;
  std::string error;  // of the engine
};

struct ListedContainer {
  std::string id;
  std::string name;
  std::map<std::string, std::string> labels;
};

// All throw Error(environment): env_engine when the engine does not answer, env_container
// with its words when it refuses.
class ContainerEngine {
 public:
  ContainerEngine(EngineKind kind, EngineAddress address)
      : kind_(kind), address_(std::move(address)), http_(http_options(address_)) {}

  // "20.10.24"; slow with podman.
  [[nodiscard]] std::string version(const std::stop_token& stop) const;

  // nullopt: the engine does not have the image.
  [[nodiscard]] std::optional<ImageFacts> find_image(const std::string& name,
                                                     const std::stop_token& stop) const;
  // `on_status` is called with the engine's progress messages. Throws Error(environment,
  // env_image).
  void pull(const std::string& name, const std::function<void(std::string_view)>& on_status,
            const std::stop_token& stop) const;

  // `body`: the API's JSON. Returns the id.
  [[nodiscard]] std::string create(const std::string& name, const std::string& body,
                                   const std::stop_token& stop) const;
  void start(const std::string& container, const std::stop_token& stop) const;
  // nullopt: it does not exist.
  [[nodiscard]] std::optional<ContainerState> inspect(const std::string& container,
                                                      const std::stop_token& stop) const;
  // Ends it and removes it with its volumes; no error if it does not exist.
  void remove(const std::string& container) const;
  // Containers in any state with all these labels, each "name" or "name=value".
  [[nodiscard]] std::vector<ListedContainer> list(const std::vector<std::string>& labels) const;

  [[nodiscard]] EngineKind kind() const { return kind_; }
  [[nodiscard]] const EngineAddress& address() const { return address_; }

 private:
  // `path` with its query: "/containers/json?all=1"
  [[nodiscard]] HttpRequest request(std::string method, const std::string& path,
                                    std::string body = {}) const;
  // Throws for any other status than those expected.
  [[nodiscard]] HttpResponse send(const HttpRequest& request, std::string_view attempt,
                                  const std::vector<int>& expected,
                                  const std::stop_token& stop) const;
  [[nodiscard]] Error unreachable(const Error& error) const;

  EngineKind kind_;
  EngineAddress address_;
  CurlHttpClient http_;
};

// The engine's words in an answer that is an error.
std::string engine_message(std::string_view body);

}  // namespace pgrehearse
