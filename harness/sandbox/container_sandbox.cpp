#include "harness/sandbox/container_sandbox.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <charconv>
#include <thread>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/sandbox/container_request.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// Longer than any drill; what is left of one ends by itself even where nobody runs `clean`.
constexpr auto lifetime = std::chrono::hours(24 * 7);

// Whether a file of the sandbox ($1) is seen inside, then which of the other arguments are
// directories with a postgres, and its version.
constexpr const char* look_round =
    "[ -e \"$1\" ] || { echo blind; exit; }; shift; "
    "for d; do [ ! -x \"$d/postgres\" ] || echo \"$d $(\"$d/postgres\" -V)\"; done";

constexpr const char* show_memory_events =
    "cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null; :";

std::vector<std::string> candidates(const SandboxSpec& spec) {
  if (spec.binaries) return {spec.binaries->string()};
  return {fmt::format("/usr/lib/postgresql/{}/bin", spec.postgres_major),
          fmt::format("/usr/pgsql-{}/bin", spec.postgres_major), "/usr/local/bin", "/usr/bin"};
}

// "15" of "/usr/lib/postgresql/15/bin postgres (PostgreSQL) 15.14 (Debian ...)"
int major_in(std::string_view line) {
  constexpr std::string_view before = "(PostgreSQL) ";
  const auto at = line.find(before);
  int major = 0;
  if (at == std::string_view::npos) return major;
  const auto number = line.substr(at + before.size());
  std::from_chars(number.data(), number.data() + number.size(), major);
  return major;
}

// The kernel's count of processes that it killed for the limit.
bool tells_of_killing(std::string_view text) {
  for (const auto line : lines_of(text)) {
    const auto words = split(line, ' ');
    if (words.size() == 2 && words[0] == "oom_kill" && words[1] != "0") return true;
  }
  return false;
}

void remove_containers(const ContainerEngine& engine, const std::vector<std::string>& labels,
                       Removal& removal) {
  const auto containers = engine.list(labels);
  for (const auto& container : containers) engine.remove(container.id);
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  auto left = engine.list(labels);
  while (!left.empty() && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    left = engine.list(labels);
  }
  for (const auto& container : containers) {
    removal.removed.push_back("container " + container.name);
  }
  for (const auto& container : left) removal.remaining.push_back("container " + container.name);
}

}  // namespace

ContainerSandbox::ContainerSandbox(ContainerEngine engine, SandboxSpec spec, HostPlace place,
                                   Identity identity)
    : engine_(std::move(engine)),
      spec_(std::move(spec)),
      place_(std::move(place)),
      identity_(std::move(identity)) {}

ContainerSandbox::~ContainerSandbox() {
  if (destroyed_ || place_.entry().kept) return;
  try {
    ContainerSandbox::destroy();
  } catch (...) {
    // The entry stays: `clean` and the next run find what is left.
  }
}

void ContainerSandbox::make(const ImageFacts& image, const std::stop_token& stop) {
  place_.make_directories();
  const std::vector<Account> accounts{place_.account(), current_account()};
  constexpr int readable = 0644;
  write_file(passwd_file(paths()), passwd_text(accounts, paths().temporary), readable);
  write_file(group_file(paths()), group_text(accounts), readable);
  if (spec_.has_way_out()) {
    write_file(hosts_file(paths()), hosts_text(ways_to(spec_.endpoints)), readable);
  }
  const auto body = container_json({.place = place_,
                                    .spec = spec_,
                                    .image = image.id,
                                    .owner = identity_.owner,
                                    .expires = std::chrono::system_clock::now() + lifetime,
                                    .lifetime = lifetime});
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
  // Not to be interrupted: an engine that is not listened to would make it all the same.
  container_ = engine_.create("pgrehearse-" + spec_.run_id, body, {});
  engine_.start(container_, {});
  runner_ = std::make_unique<ContainerCommandRunner>(engine_, container_, spec_.image);
  open_way_out(stop);
  find_programs(stop);
}

void ContainerSandbox::open_way_out(const std::stop_token& stop) {
  if (!spec_.has_way_out()) return;
  const auto state = engine_.inspect(container_, stop);
  relay_ = std::make_unique<RepositoryRelay>(state ? state->process : 0, ways_to(spec_.endpoints));
  for (const auto& endpoint : spec_.endpoints) {
    spdlog::warn("the container can reach {}:{} and nothing else, because {}", endpoint.host,
                 endpoint.port, spec_.remote);
  }
}

void ContainerSandbox::find_programs(const std::stop_token& stop) {
  Command command{.program = "/bin/sh",
                  .arguments = {"-c", look_round, "sh", (paths().root / "sandbox.json").string()},
                  .timeout = std::chrono::minutes(1)};
  const auto places = candidates(spec_);
  command.arguments.insert(command.arguments.end(), places.begin(), places.end());
  const auto result = runner_->run(command, stop);
  if (result.cancelled) throw Error(ErrorKind::interrupted, "interrupted");
  if (trim(result.output) == "blind") {
    throw Error(ErrorKind::environment,
                fmt::format("the containers of {} do not see this host's directories",
                            engine_.address().text),
                "the engine must run on this host: a remote one, or one in a virtual machine, "
                "cannot be used",
                "PGR-ENV-ENGINE", engine_.address().text);
  }
  for (const auto line : lines_of(result.output)) {
    if (major_in(line) != spec_.postgres_major && spec_.postgres_major != 0) continue;
    spec_.binaries = fs::path(line.substr(0, line.find(' ')));
    return;
  }
  if (spec_.postgres_major == 0) return;
  throw Error(ErrorKind::environment,
              fmt::format("the image {} has no programs of PostgreSQL {} in {}", spec_.image,
                          spec_.postgres_major, join(places, ", ")),
              "name an image that has them with sandbox.image, or their place in it with "
              "sandbox.binaries",
              "PGR-ENV-BINARIES", spec_.image);
}

CommandResult ContainerSandbox::run(const Command& command, std::stop_token stop) {
  if (!runner_) throw Error(ErrorKind::internal, "the container was not made");
  auto inside = command;
  inside.environment = {{"LANG", "C.UTF-8"},
                        {"LC_ALL", "C.UTF-8"},
                        {"TZ", "UTC"},
                        {"HOME", paths().temporary.string()},
                        {"USER", place_.account().name},
                        {"LOGNAME", place_.account().name}};
  inside.environment.merge(pgbackrest_variables());
  for (const auto& [name, value] : command.environment) inside.environment[name] = value;
  inside.environment[run_label] = spec_.run_id;
  inside.environment[root_label] = paths().root.string();
  inside.environment["TMPDIR"] = paths().temporary.string();
  auto result = runner_->run(inside, std::move(stop));
  if (identity_.observer) identity_.observer(command, result);
  return result;
}

ConnectionParameters ContainerSandbox::server() const {
  return {{"host", paths().sockets.string()}, {"port", "5432"}, {"user", spec_.superuser}};
}

std::string ContainerSandbox::program(std::string_view name) const {
  if (!spec_.binaries) throw Error(ErrorKind::internal, "the sandbox knows no PostgreSQL version");
  return (*spec_.binaries / name).string();
}

void ContainerSandbox::require_sound(std::stop_token stop) {
  const auto state = engine_.inspect(container_, stop);
  if (!state) {
    throw Error(ErrorKind::environment, "the container was removed while the drill ran",
                "something else cleans up on this host", "PGR-ENV-CONTAINER", container_);
  }
  const bool killed =
      state->out_of_memory ||
      (state->running && tells_of_killing(runner_
                                              ->run({.program = "/bin/sh",
                                                     .arguments = {"-c", show_memory_events},
                                                     .timeout = std::chrono::seconds(30)},
                                                    stop)
                                              .output));
  if (killed) {
    throw Error(ErrorKind::environment,
                fmt::format("the container ran out of memory: its limit is {}", to_text(memory())),
                "raise sandbox.memory", "PGR-ENV-MEMORY", "container");
  }
  if (!state->running) {
    throw Error(ErrorKind::environment,
                fmt::format("the container ended while the drill ran, with exit code {}{}",
                            state->exit_code, state->error.empty() ? "" : ": " + state->error),
                "somebody stopped it, or the container engine was stopped", "PGR-ENV-CONTAINER",
                container_);
  }
}

Removal ContainerSandbox::destroy() {
  if (destroyed_) return removal_;
  relay_.reset();
  removal_ = remove_container_sandbox(engine_, place_.entry(), identity_.owner);
  if (removal_.complete()) {
    place_.forget();
    destroyed_ = true;
  }
  return removal_;
}

Removal remove_container_sandbox(const ContainerEngine& engine, const RegistryEntry& entry,
                                 const std::string& owner) {
  Removal removal;
  try {
    remove_containers(
        engine,
        {fmt::format("{}={}", label_run, entry.run_id), fmt::format("{}={}", label_owner, owner)},
        removal);
  } catch (const Error& error) {
    removal.remaining.push_back(
        fmt::format("the container of run {}: {}", entry.run_id, error.what()));
  }
  // Its processes are this host's: without an engine they are ended like those of a local sandbox.
  auto rest = remove_local_sandbox(entry);
  removal.removed.insert(removal.removed.end(), rest.removed.begin(), rest.removed.end());
  removal.remaining.insert(removal.remaining.end(), rest.remaining.begin(), rest.remaining.end());
  return removal;
}

}  // namespace pgrehearse
