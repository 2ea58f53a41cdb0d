#include "harness/sandbox/container/container_sandbox.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>

#include "harness/agent/client/agent_program.hpp"
#include "harness/agent/socket.hpp"
#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/container/container_request.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// Longer than any drill; what is left of one ends by itself even where nobody runs `clean`.
constexpr auto lifetime = std::chrono::hours(24 * 7);

// Which of the arguments are directories with a postgres, and its version.
constexpr const char* look_round =
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

void remove_containers(const ContainerEngine& engine,
                       const std::vector<ListedContainer>& containers,
                       const std::vector<std::string>& labels, Removal& removal) {
  for (const auto& container : containers) engine.remove(container.id);
  std::vector<ListedContainer> left;
  constexpr std::chrono::milliseconds poll_interval(50);
  poll_until(std::chrono::steady_clock::now() + std::chrono::seconds(10), poll_interval, {}, [&] {
    left = engine.list(labels);
    return left.empty();
  });
  for (const auto& container : containers) {
    removal.removed.push_back("container " + container.name);
  }
  for (const auto& container : left) removal.remaining.push_back("container " + container.name);
}

// 0: none runs.
pid_t first_process(const ContainerEngine& engine, const std::vector<ListedContainer>& containers) {
  for (const auto& container : containers) {
    const auto state = engine.inspect(container.id, {});
    if (state && state->running) return state->process;
  }
  return 0;
}

void append(Removal& removal, const Removal& more) {
  removal.removed.insert(removal.removed.end(), more.removed.begin(), more.removed.end());
  removal.remaining.insert(removal.remaining.end(), more.remaining.begin(), more.remaining.end());
}

}  // namespace

ContainerSandbox::ContainerSandbox(ContainerEngine engine, SandboxSpec spec, HostDirectory place,
                                   Identity identity)
    : engine_(std::move(engine)),
      spec_(std::move(spec)),
      place_(std::move(place)),
      identity_(std::move(identity)),
      inside_(
          agent_socket(place_.paths()),
          {.image = spec_.image,
           .image_hint = "name an image that has it with sandbox.image; docker/README.md makes one",
           .ended = "the container ended while a command ran in it",
           .ended_hint = "somebody stopped it, or the container engine was stopped",
           .code = FindingCode::env_container,
           .account = place_.account().uid}) {}

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
  constexpr int executable = 0700;
  write_file(agent_program(paths()), agent_binary(), executable);
  const auto body = container_json({.place = place_,
                                    .spec = spec_,
                                    .image = image.id,
                                    .owner = identity_.owner,
                                    .expires = std::chrono::system_clock::now() + lifetime,
                                    .lifetime = lifetime});
  throw_if_stopped(stop);
  // Not to be interrupted: an engine that is not listened to would make it all the same.
  container_ = engine_.create("pgrehearse-" + spec_.run_id, body, {});
  start(stop);
  open_way_out(stop);
  find_programs(stop);
}

void ContainerSandbox::start(const std::stop_token& stop) {
  try {
    engine_.start(container_, {});
  } catch (const Error& error) {
    const std::string_view words = error.what();
    if (words.find(agent_program(paths()).native()) == std::string_view::npos) throw;
    throw Error(
        ErrorKind::environment,
        fmt::format("the containers of {} cannot run a program of this host's directories: {}",
                    engine_.address().text, words),
        "the engine must run on this host: a remote one, or one in a virtual machine, "
        "cannot be used; and sandbox.directory must not lie where a mount forbids programs "
        "(noexec)",
        FindingCode::env_engine, engine_.address().text);
  }
  constexpr auto timeout = std::chrono::seconds(30);
  constexpr std::chrono::milliseconds poll_interval(2);
  const auto answers = [&] {
    if (agent::connect_to(agent_socket(paths()).c_str(), timeout)) return true;
    require_running(stop);
    return false;
  };
  if (poll_until(std::chrono::steady_clock::now() + timeout, poll_interval, stop, answers)) return;
  throw Error(ErrorKind::environment,
              fmt::format("the container does not answer within {}", to_text(timeout)),
              "the engine must run on this host", FindingCode::env_container, container_);
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
                  .arguments = {"-c", look_round, "sh"},
                  .timeout = std::chrono::minutes(1)};
  const auto places = candidates(spec_);
  command.arguments.insert(command.arguments.end(), places.begin(), places.end());
  const auto result = inside_.run(command, stop);
  throw_if_cancelled(result);
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
              FindingCode::env_binaries, spec_.image);
}

CommandResult ContainerSandbox::run(const Command& command, std::stop_token stop) {
  auto inside = command;
  inside.environment = environment_inside(place_, command);
  try {
    auto result = inside_.run(inside, stop);
    if (identity_.observer) identity_.observer(command, result);
    return result;
  } catch (const Error& error) {
    if (error.code() == FindingCode::env_container) require_sound(stop);
    throw;
  }
}

ConnectionParameters ContainerSandbox::server() const { return server_in(paths(), spec_); }

std::string ContainerSandbox::program(std::string_view name) const {
  return program_in(spec_, name);
}

void ContainerSandbox::require_running(const std::stop_token& stop) const {
  const auto state = engine_.inspect(container_, stop);
  if (!state) {
    throw Error(ErrorKind::environment, "the container was removed while the drill ran",
                "something else cleans up on this host", FindingCode::env_container, container_);
  }
  if (state->out_of_memory) throw_out_of_memory();
  if (!state->running) {
    throw Error(ErrorKind::environment,
                fmt::format("the container ended while the drill ran, with exit code {}{}",
                            state->exit_code, state->error.empty() ? "" : ": " + state->error),
                "somebody stopped it, or the container engine was stopped",
                FindingCode::env_container, container_);
  }
}

void ContainerSandbox::throw_out_of_memory() const {
  throw Error(ErrorKind::environment,
              fmt::format("the container ran out of memory: its limit is {}", to_text(memory())),
              "raise sandbox.memory", FindingCode::env_memory, "container");
}

void ContainerSandbox::require_sound(std::stop_token stop) {
  require_running(stop);
  const auto events = inside_.run({.program = "/bin/sh",
                                   .arguments = {"-c", show_memory_events},
                                   .timeout = std::chrono::seconds(30)},
                                  stop);
  if (tells_of_killing(events.output)) throw_out_of_memory();
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
  const std::vector<std::string> labels{fmt::format("{}={}", label_run, entry.run_id),
                                        fmt::format("{}={}", label_owner, owner)};
  Removal removal;
  try {
    const auto containers = engine.list(labels);
    // The files before the container: with its end the kernel writes to the disk what is still in
    // memory of them (an overlay file system syncs the one below it).
    auto rest = remove_local_sandbox(entry, first_process(engine, containers));
    remove_containers(engine, containers, labels, removal);
    if (!rest.complete()) {
      // What could not be ended may have gone with the container.
      auto again = remove_local_sandbox(entry);
      rest.remaining = std::move(again.remaining);
      rest.removed.insert(rest.removed.end(), again.removed.begin(), again.removed.end());
    }
    append(removal, rest);
  } catch (const Error& error) {
    removal.remaining.push_back(
        fmt::format("the container of run {}: {}", entry.run_id, error.what()));
    // Its processes are this host's: without an engine they are ended like those of a local one.
    append(removal, remove_local_sandbox(entry));
  }
  return removal;
}

}  // namespace pgrehearse
