#include "harness/sandbox/container/container_provisioner.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/sandbox/container/container_request.hpp"
#include "harness/sandbox/container/container_sandbox.hpp"
#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

namespace {

std::string image_of(const SandboxSpec& spec) {
  return spec.image.empty() ? fmt::format("pgrehearse:{}", spec.postgres_major) : spec.image;
}

// This host's processor, by the name that images have for it; the engine runs here.
std::string host_architecture() {
  utsname host{};
  if (uname(&host) != 0) return {};
  std::string machine = host.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine.starts_with("armv")) return "arm";
  return machine;
}

// An emulated processor would prove nothing about how long a recovery takes.
void require_same_architecture(const std::string& image, const ImageFacts& facts) {
  const auto host = host_architecture();
  if (facts.architecture.empty() || host.empty() || facts.architecture == host) return;
  throw Error(
      ErrorKind::environment,
      fmt::format("the image {} is made for {}, this host is {}", image, facts.architecture, host),
      "name an image for this architecture with sandbox.image", FindingCode::env_image, image);
}

// A container has no network at all, and at most one way through its wall.
void require_reachable_repository(const SandboxSpec& spec) {
  if (spec.remote.empty()) return;
  const auto refuse = [&](const std::string& message, const std::string& hint) {
    throw Error(ErrorKind::environment, message, hint, FindingCode::env_container, spec.remote);
  };
  if (!spec.repository_egress) {
    refuse(
        fmt::format("a container without a network cannot reach the repository: {}", spec.remote),
        "allow that, and nothing else, with sandbox.egress: repository, or rehearse it with "
        "sandbox.type: local");
  }
  if (!spec.obstacle.empty()) {
    refuse(fmt::format("the repository cannot be reached from a container: {}, and {}", spec.remote,
                       spec.obstacle),
           "rehearse it with sandbox.type: local");
  }
  if (geteuid() != 0) {
    refuse(
        fmt::format("only root can open a way from a container to the repository: {}", spec.remote),
        "start pgrehearse as root, or rehearse it with sandbox.type: local");
  }
}

// ", network: only s3.example:443"; empty without any.
std::string way_out_of(const SandboxSpec& spec) {
  if (!spec.has_way_out()) return {};
  std::vector<std::string> endpoints;
  for (const auto& endpoint : spec.endpoints) {
    endpoints.push_back(fmt::format("{}:{}", endpoint.host, endpoint.port));
  }
  return ", network: only " + join(endpoints, ", ");
}

// What stands in a container's environment can be read by whoever may ask the engine.
void require_no_secret_variables() {
  for (const auto& [name, value] : pgbackrest_variables()) {
    for (const std::string_view end : {"_PASS", "_KEY", "_SECRET", "_TOKEN", "_PASSPHRASE"}) {
      if (!name.ends_with(end)) continue;
      throw Error(ErrorKind::environment,
                  fmt::format("the variable {} holds a secret, and a container's environment is "
                              "no place for one",
                              name),
                  "move it to pgBackRest's configuration file", FindingCode::env_config, name);
    }
  }
}

const std::string& label(const ListedContainer& container, const char* name) {
  static const std::string none;
  const auto found = container.labels.find(name);
  return found == container.labels.end() ? none : found->second;
}

bool has_expired(const ListedContainer& container) {
  const auto expires = parse_instant(label(container, label_expires));
  return expires && *expires < std::chrono::system_clock::now();
}

}  // namespace

ContainerProvisioner::ContainerProvisioner(EngineKind kind, const std::filesystem::path& state,
                                           CommandObserver observer)
    : kind_(kind), registry_(state), observer_(std::move(observer)) {}

ContainerEngine ContainerProvisioner::engine_at(const std::string& address) const {
  return {kind_, find_engine(kind_, address, EngineSurroundings::of_this_process())};
}

std::string ContainerProvisioner::owner_of(const std::string& host) const {
  return fmt::format("{}:{}", host, registry_.directory().string());
}

std::string ContainerProvisioner::probe(const SandboxSpec& spec, std::stop_token stop) {
  require_reachable_repository(spec);
  require_no_secret_variables();
  const auto engine = engine_at(spec.engine);
  const auto version = engine.version(stop);
  const auto name = image_of(spec);
  const auto image = engine.find_image(name, stop);
  if (!image) {
    return fmt::format("{} {}, image {} (not there yet: it will be pulled){}", name_of(kind_),
                       version, name, way_out_of(spec));
  }
  require_same_architecture(name, *image);
  constexpr std::size_t short_id = 19;  // "sha256:" and twelve digits
  return fmt::format("{} {}, image {} ({}){}", name_of(kind_), version, name,
                     image->id.substr(0, short_id), way_out_of(spec));
}

std::unique_ptr<Sandbox> ContainerProvisioner::create(const SandboxSpec& spec,
                                                      std::stop_token stop) {
  require_reachable_repository(spec);
  require_no_secret_variables();
  const auto account = sandbox_account(spec);
  auto resolved = spec;
  resolved.type = name_of(kind_);
  resolved.account = account.name;
  resolved.image = image_of(spec);
  auto engine = engine_at(spec.engine);
  auto image = engine.find_image(resolved.image, stop);
  if (!image) {
    spdlog::info("pulling the image {}", resolved.image);
    engine.pull(
        resolved.image, [](std::string_view status) { spdlog::debug("pull: {}", status); }, stop);
    image = engine.find_image(resolved.image, stop);
  }
  if (!image) throw Error(ErrorKind::environment, "the image was pulled and is not there");
  require_same_architecture(resolved.image, *image);
  throw_if_stopped(stop);
  auto place = HostDirectory::claim(registry_, resolved, account, engine.address().text);
  const ContainerSandbox::Identity identity{.owner = owner_of(place.entry().host),
                                            .observer = observer_};
  auto sandbox = std::make_unique<ContainerSandbox>(std::move(engine), std::move(resolved),
                                                    std::move(place), identity);
  sandbox->make(*image, stop);
  return sandbox;
}

std::vector<Leftover> ContainerProvisioner::list() const {
  // The containers first: whoever registers one meanwhile is in the later list.
  std::vector<ListedContainer> containers;
  try {
    containers = engine_at({}).list({label_run});
  } catch (const Error& error) {
    spdlog::debug("{}", error.what());
  }
  std::vector<Leftover> leftovers;
  for (const auto& listed : registry_.list()) {
    if (listed.entry.type == name_of(kind_)) leftovers.push_back(leftover_of(listed));
  }
  for (const auto& container : containers) {
    const auto& run = label(container, label_run);
    const bool registered =
        std::any_of(leftovers.begin(), leftovers.end(),
                    [&](const auto& leftover) { return leftover.run_id == run; });
    const bool ours = label(container, label_owner) == owner_of(host_name());
    if (registered || !(ours || has_expired(container))) continue;
    leftovers.push_back({.run_id = run,
                         .type = std::string(name_of(kind_)),
                         .scenario = label(container, label_scenario)});
  }
  return leftovers;
}

Removal ContainerProvisioner::remove_unregistered(const Leftover& leftover) const {
  Removal removal;
  const auto engine = engine_at({});
  for (const auto& container : engine.list({fmt::format("{}={}", label_run, leftover.run_id)})) {
    if (label(container, label_owner) != owner_of(host_name()) && !has_expired(container)) continue;
    engine.remove(container.id);
    const bool gone = !engine.inspect(container.id, {});
    (gone ? removal.removed : removal.remaining).push_back("container " + container.name);
  }
  return removal;
}

Removal ContainerProvisioner::remove(const Leftover& leftover) {
  auto taken = take_leftover(registry_, leftover.run_id);
  if (!taken) return remove_unregistered(leftover);
  auto removal = remove_container_sandbox(engine_at(taken->entry.engine), taken->entry,
                                          owner_of(taken->entry.host));
  if (removal.complete()) taken->owned.remove();
  return removal;
}

}  // namespace pgrehearse
