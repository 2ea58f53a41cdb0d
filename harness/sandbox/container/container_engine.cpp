#include "harness/sandbox/container/container_engine.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/http/url_encoding.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

Json parse(std::string_view body) {
  auto json = Json::parse(body, nullptr, false);
  if (!json.is_discarded()) return json;
  throw Error(ErrorKind::environment, "the response of the container engine is not JSON",
              "check that the address is that of a Docker or Podman API", FindingCode::env_engine);
}

// The value of a key that may be absent, null or of another type.
template <typename T>
T value_of(const Json& json, const char* key, T fallback) {
  if (!json.is_object()) return fallback;
  const auto found = json.find(key);
  if (found == json.end()) return fallback;
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->get<std::string>() : fallback;
  } else if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? found->get<bool>() : fallback;
  } else {
    return found->is_number_integer() ? found->get<T>() : fallback;
  }
}

Json section_of(const Json& json, const char* key) {
  if (!json.is_object() || !json.contains(key)) return Json::object();
  return json[key];
}

// Slashes and colons of an image's name belong to its path.
std::string image_path(const std::string& name) {
  std::string path;
  for (const char c : name) {
    path += c == '/' || c == ':' || c == '@' ? std::string(1, c) : url_encoded({&c, 1});
  }
  return path;
}

Error image_error(const std::string& name, const std::string& words) {
  return {ErrorKind::environment, fmt::format("image '{}' not found: {}", name, words),
          "build it (docker/README.md), or set sandbox.image to another image",
          FindingCode::env_image, name};
}

constexpr int ok = 200;
constexpr int created = 201;
constexpr int no_content = 204;
constexpr int not_modified = 304;
constexpr int not_found = 404;
constexpr int conflict = 409;

}  // namespace

std::string engine_message(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  const auto message = value_of<std::string>(json, "message", "");
  return std::string(trim(message.empty() ? body : std::string_view(message)));
}

HttpRequest ContainerEngine::request(std::string method, const std::string& path,
                                     std::string body) const {
  return {.url = address_.base_url + path,
          .method = std::move(method),
          .body = std::move(body),
          .timeout = std::chrono::minutes(2)};
}

Error ContainerEngine::unreachable(const Error& error) const {
  if (error.kind() == ErrorKind::interrupted) return error;
  return {
      ErrorKind::environment,
      fmt::format("the container engine at {} is not responding: {}", address_.text, error.what()),
      "start it, give this account access to its socket, or set sandbox.engine",
      FindingCode::env_engine, address_.text};
}

HttpResponse ContainerEngine::send(const HttpRequest& request, std::string_view attempt,
                                   const std::vector<int>& expected,
                                   const std::stop_token& stop) const {
  HttpResponse response;
  try {
    response = http_.send(request, stop);
  } catch (const Error& error) {
    throw unreachable(error);
  }
  if (std::find(expected.begin(), expected.end(), response.status) != expected.end()) {
    return response;
  }
  throw Error(
      ErrorKind::environment,
      fmt::format("{} refused to {}: {}", name_of(kind_), attempt, engine_message(response.body)),
      {}, FindingCode::env_container, address_.text);
}

std::string ContainerEngine::version(const std::stop_token& stop) const {
  const auto json = parse(send(request("GET", "/version"), "report its version", {ok}, stop).body);
  return value_of<std::string>(json, "Version", "?");
}

std::optional<ImageFacts> ContainerEngine::find_image(const std::string& name,
                                                      const std::stop_token& stop) const {
  const auto answer = send(request("GET", fmt::format("/images/{}/json", image_path(name))),
                           "inspect the image", {ok, not_found}, stop);
  if (answer.status == not_found) return {};
  const auto json = parse(answer.body);
  return ImageFacts{.id = value_of<std::string>(json, "Id", name),
                    .architecture = value_of<std::string>(json, "Architecture", "")};
}

void ContainerEngine::pull(const std::string& name,
                           const std::function<void(std::string_view)>& on_status,
                           const std::stop_token& stop) const {
  std::string unfinished;
  std::string failure;
  const auto on_line = [&](std::string_view line) {
    const auto json = Json::parse(line, nullptr, false);
    if (const auto words = value_of<std::string>(json, "error", ""); !words.empty()) {
      failure = words;
    } else if (on_status) {
      on_status(fmt::format("{} {}", value_of<std::string>(json, "status", ""),
                            value_of<std::string>(json, "progress", "")));
    }
  };
  const auto on_data = [&](std::string_view piece) {
    unfinished += piece;
    for (auto end = unfinished.find('\n'); end != std::string::npos; end = unfinished.find('\n')) {
      on_line(std::string_view(unfinished).substr(0, end));
      unfinished.erase(0, end + 1);
    }
  };
  auto pulling = request("POST", "/images/create?fromImage=" + url_encoded(name));
  pulling.timeout = std::chrono::hours(1);
  HttpResponse answer;
  try {
    answer = http_.stream(pulling, on_data, stop);
  } catch (const Error& error) {
    throw unreachable(error);
  }
  throw_if_stopped(stop);
  if (answer.status != ok) failure = engine_message(answer.body);
  if (!failure.empty()) throw image_error(name, failure);
}

std::string ContainerEngine::create(const std::string& name, const std::string& body,
                                    const std::stop_token& stop) const {
  const auto answer = send(request("POST", "/containers/create?name=" + url_encoded(name), body),
                           "create the container", {created}, stop);
  const auto json = parse(answer.body);
  for (const auto& warning : section_of(json, "Warnings")) {
    if (!warning.is_string()) continue;
    const auto text = warning.get<std::string>();
    // A limit that the kernel cannot enforce. A warning about swap is logged every time.
    const bool of_io = text.find("I/O") != std::string::npos;
    spdlog::log(of_io ? spdlog::level::warn : spdlog::level::debug, "{}: {}", name_of(kind_), text);
  }
  return value_of<std::string>(json, "Id", "");
}

void ContainerEngine::start(const std::string& container, const std::stop_token& stop) const {
  static_cast<void>(send(request("POST", fmt::format("/containers/{}/start", container)),
                         "start the container", {no_content, not_modified}, stop));
}

std::optional<ContainerState> ContainerEngine::inspect(const std::string& container,
                                                       const std::stop_token& stop) const {
  const auto answer = send(request("GET", fmt::format("/containers/{}/json", container)),
                           "inspect the container", {ok, not_found}, stop);
  if (answer.status == not_found) return {};
  const auto state = section_of(parse(answer.body), "State");
  return ContainerState{.running = value_of(state, "Running", false),
                        .process = value_of(state, "Pid", 0),
                        .out_of_memory = value_of(state, "OOMKilled", false),
                        .exit_code = value_of(state, "ExitCode", 0),
                        .error = value_of<std::string>(state, "Error", "")};
}

void ContainerEngine::remove(const std::string& container) const {
  // A conflict: somebody else is removing it at this moment.
  static_cast<void>(
      send(request("DELETE", fmt::format("/containers/{}?force=true&v=true", container)),
           "remove the container", {ok, no_content, not_found, conflict}, {}));
}

std::vector<ListedContainer> ContainerEngine::list(const std::vector<std::string>& labels) const {
  const auto filters = Json{{"label", labels}}.dump();
  auto listing = request("GET", "/containers/json?all=true&filters=" + url_encoded(filters));
  listing.timeout = std::chrono::seconds(30);
  const auto answer = send(listing, "list its containers", {ok}, {});
  std::vector<ListedContainer> containers;
  for (const auto& json : parse(answer.body)) {
    ListedContainer container{.id = value_of<std::string>(json, "Id", "")};
    for (const auto& name : section_of(json, "Names")) {
      if (name.is_string()) container.name = name.get<std::string>();
    }
    if (container.name.starts_with('/')) container.name.erase(0, 1);
    const auto labels_of_it = section_of(json, "Labels");
    for (const auto& [name, value] : labels_of_it.items()) {
      if (value.is_string()) container.labels[name] = value.get<std::string>();
    }
    containers.push_back(std::move(container));
  }
  return containers;
}

}  // namespace pgrehearse
