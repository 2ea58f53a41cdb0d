#include "harness/sandbox/container/container_provisioner.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/common/host_name.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/sandbox/container/container_request.hpp"
#include "harness/sandbox/container/container_sandbox.hpp"
#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/labels.hpp"
#include "harness/sandbox/shared/host_command.hpp"

namespace pgrehearse {

namespace {

std::string image_of(const SandboxSpec& spec) {
  const auto& image = options_of<ContainerOptions>(spec).image;
  return image.empty() ? fmt::format("pgrehearse:{}", spec.postgres_major) : image;
}

// This host's architecture, by its name in images; the engine runs on this host.
std::string host_architecture() {
  utsname host{};
  if (uname(&host) != 0) return {};
  std::string machine = host.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine.starts_with("armv")) return "arm";
  return machine;
}

// On an emulated CPU the measured recovery time would be meaningless.
void require_same_architecture(const std::string& image, const ImageFacts& facts) {
  const auto host = host_architecture();
  if (facts.architecture.empty() || host.empty() || facts.architecture == host) return;
  throw Error(
      ErrorKind::environment,
      fmt::format("the image {} is for {}, this host is {}", image, facts.architecture, host),
      "set sandbox.image to an image for this architecture", FindingCode::env_image, image);
}

// What `sandbox.egress: repository` requires.
void require_possible_egress(const SandboxSpec& spec) {
  if (!opens_egress(spec)) return;
  const auto& reason = spec.network_requirement->reason;
  const auto& unsupported = spec.network_requirement->unsupported;
  const auto refuse = [&](const std::string& message) {
    throw Error(ErrorKind::environment, message,
                "remove sandbox.egress: the backup tool then runs on this host",
                FindingCode::env_container, reason);
  };
  if (!unsupported.empty()) {
    refuse(fmt::format("the repository cannot be reached from a container: {}, and {}", reason,
                       unsupported));
  }
  if (geteuid() != 0) {
    refuse(fmt::format("only root can give a container access to the repository: {}", reason));
  }
}

// ", network: only s3.example:443"; empty where the repository is in directories of this host.
std::string access_of(const SandboxSpec& spec) {
  if (!opens_egress(spec)) return backup_tool_place(spec);
  std::vector<std::string> endpoints;
  for (const auto& endpoint : spec.network_requirement->endpoints) {
    endpoints.push_back(fmt::format("{}:{}", endpoint.host, endpoint.port));
  }
  return ", network: only " + join(endpoints, ", ");
}

// Everyone who may use the engine can read a container's environment.
void require_no_secret_variables(const SandboxSpec& spec) {
  if (backup_tool_runs_outside(spec)) return;
  for (const auto& [name, value] : pgbackrest_variables()) {
    for (const std::string_view end : {"_PASS", "_KEY", "_SECRET", "_TOKEN", "_PASSPHRASE"}) {
      if (!name.ends_with(end)) continue;
      throw Error(ErrorKind::environment,
                  fmt::format("the environment variable {} holds a secret, which every user of the "
                              "container engine could read",
                              name),
                  "move it to the pgBackRest configuration file", FindingCode::env_config, name);
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

ContainerProvisioner::ContainerProvisioner(EngineKind kind, CommandRunner& host,
                                           const std::filesystem::path& state,
                                           CommandObserver observer)
    : kind_(kind), host_(host), registry_(state), observer_(std::move(observer)) {}

ContainerEngine ContainerProvisioner::engine_at(const std::string& address) const {
  return {kind_, find_engine(kind_, address, EngineSurroundings::of_this_process())};
}

std::string ContainerProvisioner::owner_of(const std::string& host) const {
  return fmt::format("{}:{}", host, registry_.directory().string());
}

std::string ContainerProvisioner::probe(const SandboxSpec& spec, std::stop_token stop) {
  require_possible_egress(spec);
  require_no_secret_variables(spec);
  const auto engine = engine_at(options_of<ContainerOptions>(spec).engine);
  const auto version = engine.version(stop);
  const auto name = image_of(spec);
  const auto image = engine.find_image(name, stop);
  if (!image) {
    return fmt::format("{} {}, image {} (will be pulled){}", name_of(kind_), version, name,
                       access_of(spec));
  }
  require_same_architecture(name, *image);
  constexpr std::size_t short_id = 19;  // "sha256:" and twelve digits
  return fmt::format("{} {}, image {} ({}){}", name_of(kind_), version, name,
                     image->id.substr(0, short_id), access_of(spec));
}

std::unique_ptr<Sandbox> ContainerProvisioner::create(const SandboxSpec& spec,
                                                      std::stop_token stop) {
  require_possible_egress(spec);
  require_no_secret_variables(spec);
  const auto account = sandbox_account(spec);
  auto resolved = spec;
  resolved.type = name_of(kind_);
  resolved.account = account.name;
  const auto name = image_of(spec);
  std::get<ContainerOptions>(resolved.options).image = name;
  auto engine = engine_at(options_of<ContainerOptions>(spec).engine);
  auto image = engine.find_image(name, stop);
  if (!image) {
    spdlog::info("pulling the image {}", name);
    engine.pull(
        name, [](std::string_view status) { spdlog::debug("pull: {}", status); }, stop);
    image = engine.find_image(name, stop);
  }
  if (!image)
    throw Error(ErrorKind::environment,
                fmt::format("the image {} was pulled but cannot be found", name));
  require_same_architecture(name, *image);
  throw_if_stopped(stop);
  auto directory = HostDirectory::claim(registry_, resolved, account, engine.address().text);
  const ContainerSandbox::Identity identity{.owner = owner_of(directory.entry().host),
                                            .observer = observer_};
  auto sandbox = std::make_unique<ContainerSandbox>(std::move(engine), host_, std::move(resolved),
                                                    std::move(directory), identity);
  sandbox->make(*image, stop);
  return sandbox;
}

std::vector<Leftover> ContainerProvisioner::list() const {
  // Containers first: a drill that registers one in the meantime is in the list of entries.
  std::vector<ListedContainer> containers;
  try {
    containers = engine_at({}).list({label_run});
  } catch (const Error& error) {
    spdlog::debug("{}", error.what());
  }
  auto leftovers = registered_leftovers(registry_, {name_of(kind_)});
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
    const bool is_removed = !engine.inspect(container.id, {});
    (is_removed ? removal.removed : removal.remaining).push_back("container " + container.name);
  }
  return removal;
}

Removal ContainerProvisioner::remove(const Leftover& leftover) {
  const auto remove_entry = [&](const RegistryEntry& entry) {
    return remove_container_sandbox(engine_at(entry.engine), entry, owner_of(entry.host));
  };
  auto removal = remove_registered(registry_, leftover, remove_entry);
  return removal ? *removal : remove_unregistered(leftover);
}

}  // namespace pgrehearse
