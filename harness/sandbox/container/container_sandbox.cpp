#include "harness/sandbox/container/container_sandbox.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <set>

#include "harness/agent/client/agent_program.hpp"
#include "harness/agent/socket.hpp"
#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/container/container_request.hpp"
#include "harness/sandbox/labels.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/shared/account_files.hpp"
#include "harness/sandbox/shared/agent_paths.hpp"
#include "harness/sandbox/shared/host_command.hpp"
#include "harness/sandbox/shared/image_binaries.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// Longer than any drill; leftovers end by themselves even if nobody runs `clean`.
constexpr auto lifetime = std::chrono::hours(24 * 7);

// Control groups of version 2 and of version 1; one of the files exists.
constexpr std::array<const char*, 2> memory_event_files{"/sys/fs/cgroup/memory.events",
                                                        "/sys/fs/cgroup/memory/memory.oom_control"};

// The kernel counts the processes that it killed because of the memory limit.
bool shows_memory_kill(std::string_view text) {
  for (const auto line : lines_of(text)) {
    const auto words = split(line, ' ');
    if (words.size() == 2 && words[0] == "oom_kill" && words[1] != "0") return true;
  }
  return false;
}

// The engine finishes what a killed owner requested: a container may appear during the removal.
void remove_containers(const ContainerEngine& engine, const std::vector<std::string>& labels,
                       Removal& removal) {
  std::set<std::string> names;
  std::vector<ListedContainer> left;
  poll_until(std::chrono::steady_clock::now() + std::chrono::seconds(10),
             std::chrono::milliseconds(50), {}, [&] {
               left = engine.list(labels);
               for (const auto& container : left) {
                 names.insert(container.name);
                 engine.remove(container.id);
               }
               return left.empty();
             });
  for (const auto& container : left) {
    names.erase(container.name);
    removal.remaining.push_back("container " + container.name);
  }
  for (const auto& name : names) removal.removed.push_back("container " + name);
}

// 0: no container is running.
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

ContainerSandbox::ContainerSandbox(ContainerEngine engine, CommandRunner& host, SandboxSpec spec,
                                   HostDirectory directory, Identity identity)
    : HostedSandbox(std::move(spec), std::move(directory)),
      engine_(std::move(engine)),
      host_(host),
      identity_(std::move(identity)),
      inside_(
          agent_socket(paths()),
          {.image = options_of<ContainerOptions>(this->spec()).image,
           .image_hint = "set sandbox.image to an image that has it; docker/README.md builds one",
           .ended = "the container exited while a command was running in it",
           .ended_hint = "it was stopped, or the container engine was stopped",
           .code = FindingCode::env_container,
           .account = this->directory().account().uid}) {}

void ContainerSandbox::make(const ImageFacts& image, const std::stop_token& stop) {
  directory().make_directories();
  // Accounts that run commands or connect to the instance need a name.
  const std::vector<Account> accounts{directory().account(), current_account()};
  constexpr int readable = 0644;
  write_file(passwd_file(paths()), passwd_text(accounts, paths().temporary), readable);
  write_file(group_file(paths()), group_text(accounts), readable);
  if (opens_egress(spec())) {
    const auto forwards = forwards_to(spec().network_requirement->endpoints);
    write_file(hosts_file(paths()), hosts_text(forwards), readable);
  }
  constexpr int executable = 0700;
  write_file(agent_program(paths()), agent_binary(), executable);
  const auto body = container_json({.directory = directory(),
                                    .spec = spec(),
                                    .image = image.id,
                                    .owner = identity_.owner,
                                    .expires = std::chrono::system_clock::now() + lifetime,
                                    .lifetime = lifetime});
  throw_if_stopped(stop);
  // Not interruptible: the engine would create the container even if nobody waits for it.
  container_ = engine_.create("pgrehearse-" + spec().run_id, body, {});
  start(stop);
  open_egress(stop);
  find_binaries(stop);
}

void ContainerSandbox::start(const std::stop_token& stop) {
  try {
    engine_.start(container_, {});
  } catch (const Error& error) {
    const std::string_view words = error.what();
    if (words.find(agent_program(paths()).native()) == std::string_view::npos) throw;
    throw Error(
        ErrorKind::environment,
        fmt::format("containers of {} cannot run a program from a directory on this host: {}",
                    engine_.address().text, words),
        "use an engine on this host, not a remote one or one in a virtual machine; "
        "sandbox.directory must not be on a file system mounted with noexec",
        FindingCode::env_engine, engine_.address().text);
  }
  constexpr auto timeout = std::chrono::seconds(30);
  const bool answered = poll_until(std::chrono::steady_clock::now() + timeout,
                                   std::chrono::milliseconds(2), stop, [&] {
                                     if (agent::connect_to(agent_socket(paths()).c_str(), timeout))
                                       return true;
                                     require_running(stop);
                                     return false;
                                   });
  if (!answered) {
    throw Error(ErrorKind::environment,
                fmt::format("the container did not respond within {}", to_text(timeout)),
                "use an engine on this host", FindingCode::env_container, container_);
  }
}

void ContainerSandbox::open_egress(const std::stop_token& stop) {
  if (!opens_egress(spec())) return;
  const auto& [reason, endpoints, unsupported] = *spec().network_requirement;
  const auto state = engine_.inspect(container_, stop);
  relay_ = std::make_unique<RepositoryRelay>(state ? state->process : 0, forwards_to(endpoints));
  for (const auto& endpoint : endpoints) {
    spdlog::warn("the container can connect to {}:{} and nothing else: {}", endpoint.host,
                 endpoint.port, reason);
  }
}

void ContainerSandbox::find_binaries(const std::stop_token& stop) {
  auto binaries = find_image_binaries(
      spec(), [&](const Command& command) { return inside_.run(command, stop); });
  if (binaries) {
    set_binaries(std::move(*binaries));
  } else if (spec().postgres_major != 0) {
    throw missing_binaries(spec(), options_of<ContainerOptions>(spec()).image);
  }
}

CommandResult ContainerSandbox::run(const Command& command, std::stop_token stop) {
  auto inside = command;
  inside.environment = environment_inside(directory(), command, !backup_tool_runs_outside(spec()));
  try {
    auto result = inside_.run(inside, stop);
    if (identity_.observer) identity_.observer(command, result);
    return result;
  } catch (const Error& error) {
    if (error.code() == FindingCode::env_container) require_sound(stop);
    throw;
  }
}

CommandResult ContainerSandbox::run_backup_tool(const Command& command, std::stop_token stop) {
  if (!backup_tool_runs_outside(spec())) return run(command, std::move(stop));
  reap_adopted_children();
  return host_.run(host_command(directory(), command), std::move(stop));
}

std::vector<std::string> ContainerSandbox::fetch_command(std::vector<std::string> archive_get,
                                                         const fs::path& data) {
  if (!backup_tool_runs_outside(spec())) return archive_get;
  if (!wal_relay_) {
    wal_relay_ =
        std::make_unique<WalRelay>(directory().account(), paths().configuration,
                                   [this](const Command& command, const std::stop_token& stop) {
                                     return run_backup_tool(command, stop);
                                   });
  }
  return wal_relay_->client_of({.archive_get = std::move(archive_get), .data = data});
}

void ContainerSandbox::require_running(const std::stop_token& stop) const {
  const auto state = engine_.inspect(container_, stop);
  if (!state) {
    throw Error(ErrorKind::environment, "the container was removed during the drill",
                "find out what removes containers on this host", FindingCode::env_container,
                container_);
  }
  if (state->out_of_memory) throw_out_of_memory();
  if (!state->running) {
    throw Error(ErrorKind::environment,
                fmt::format("the container exited during the drill with code {}{}",
                            state->exit_code, state->error.empty() ? "" : ": " + state->error),
                "it was stopped, or the container engine was stopped", FindingCode::env_container,
                container_);
  }
}

void ContainerSandbox::throw_out_of_memory() const {
  throw Error(ErrorKind::environment,
              fmt::format("the container ran out of memory: its limit is {}", to_text(memory())),
              "raise sandbox.memory", FindingCode::env_memory, "container");
}

void ContainerSandbox::require_sound(std::stop_token stop) {
  require_running(stop);
  const auto events =
      inside_.run({.program = "/bin/cat",
                   .arguments = {memory_event_files.begin(), memory_event_files.end()},
                   .timeout = std::chrono::seconds(30)},
                  stop);
  if (shows_memory_kill(events.output)) throw_out_of_memory();
}

Removal ContainerSandbox::remove_everything() {
  wal_relay_.reset();
  relay_.reset();
  return remove_container_sandbox(engine_, directory().entry(), identity_.owner);
}

Removal remove_container_sandbox(const ContainerEngine& engine, const RegistryEntry& entry,
                                 const std::string& owner) {
  const std::vector<std::string> labels{fmt::format("{}={}", label_run, entry.run_id),
                                        fmt::format("{}={}", label_owner, owner)};
  Removal removal;
  try {
    const auto process = first_process(engine, engine.list(labels));
    // The files before the container: when it ends, the kernel flushes their dirty pages (an
    // overlay file system syncs the one below it).
    auto rest = remove_local_sandbox(entry, process);
    remove_containers(engine, labels, removal);
    if (!rest.complete()) {
      // Processes that could not be ended may have ended with the container.
      auto again = remove_local_sandbox(entry);
      rest.remaining = std::move(again.remaining);
      rest.removed.insert(rest.removed.end(), again.removed.begin(), again.removed.end());
    }
    append(removal, rest);
  } catch (const Error& error) {
    removal.remaining.push_back(fmt::format("container of run {}: {}", entry.run_id, error.what()));
    // Its processes are processes of this host: without the engine, end them as in a local sandbox.
    append(removal, remove_local_sandbox(entry));
  }
  return removal;
}

}  // namespace pgrehearse
