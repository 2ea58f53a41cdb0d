#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/history_options.hpp"
#include "harness/cli/options.hpp"
#include "harness/cli/signal_watch.hpp"
#include "harness/cli/web_pages.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/host_name.hpp"
#include "harness/common/units.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/terminal.hpp"
#include "harness/sandbox/host_resources.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/scenario/scenario_parser.hpp"
#include "harness/serve/scheduler.hpp"
#include "harness/serve/service_manager.hpp"
#include "harness/serve/spawned_processes.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

struct ServeArguments {
  std::filesystem::path directory;
  bool list = false;
  bool wait = false;
  std::size_t drills = 1;
  std::string memory;
  std::string free_disk;
  int nice = 10;
  std::string io_class = "low";
  std::string tick = "1s";
  WebArguments web;
};

Bytes size_option(const std::string& text, std::string_view option, Bytes fallback) {
  if (text.empty()) return fallback;
  const auto size = parse_bytes(text);
  if (size) return *size;
  throw Error(ErrorKind::usage, fmt::format("'{}' is not a size", text),
              fmt::format("for example {} 16GB", option));
}

Scheduler::Options scheduler_options(const ServeArguments& arguments, const CommonOptions& common) {
  const auto tick = parse_duration(arguments.tick);
  if (!tick || tick->count() <= 0) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is not a duration", arguments.tick),
                "for example --tick 1s");
  }
  return {.state = common.state,
          .host = host_name(),
          .budget = {.drills = arguments.drills,
                     .memory =
                         size_option(arguments.memory, "--memory", Bytes{host_memory().count / 2}),
                     .free_disk = size_option(arguments.free_disk, "--keep-free", Bytes{})},
          .tick = *tick,
          .read_only = arguments.list,
          .directory_interval =
              std::min<std::chrono::milliseconds>(*tick * 5, std::chrono::seconds(5))};
}

DrillPriority priority_of(const ServeArguments& arguments) {
  DrillPriority priority{.nice = arguments.nice};
  if (arguments.io_class == "low") priority.io_class = IoClass::low;
  if (arguments.io_class == "idle") priority.io_class = IoClass::idle;
  return priority;
}

// One scheduler per state directory. The lock ends with the process.
class SchedulerLock {
 public:
  explicit SchedulerLock(const std::filesystem::path& state) {
    std::error_code ignored;
    std::filesystem::create_directories(state / "serve", ignored);
    const auto file = state / "serve" / "scheduler.lock";
    fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd_ < 0) {
      throw Error(ErrorKind::environment, fmt::format("cannot open {}", file.string()),
                  "set --state to a directory that this account can write to");
    }
    if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    close(fd_);
    throw Error(
        ErrorKind::environment,
        fmt::format("another 'pgrehearse serve' uses the state directory {}", state.string()),
        "stop it first, or use another --state");
  }
  SchedulerLock(const SchedulerLock&) = delete;
  SchedulerLock& operator=(const SchedulerLock&) = delete;
  ~SchedulerLock() { close(fd_); }

 private:
  int fd_ = -1;
};

std::string status_of(const SchedulerSnapshot& snapshot) {
  std::size_t running = 0;
  const ScheduledScenario* next = nullptr;
  for (const auto& scenario : snapshot.scenarios) {
    if (scenario.running) ++running;
    if (!scenario.next_start) continue;
    if (next == nullptr || *scenario.next_start < *next->next_start) next = &scenario;
  }
  return fmt::format(
      "{} scenarios, {} running{}{}", snapshot.scenarios.size(), running,
      next == nullptr ? ""
                      : fmt::format(", next: {} at {}", next->name,
                                    to_iso8601(*next->next_start).substr(0, 16)),
      snapshot.errors.empty() ? "" : fmt::format(", {} files with errors", snapshot.errors.size()));
}

Json json_of(const ScheduledScenario& scenario) {
  Json json{
      {"scenario", scenario.name}, {"stanza", scenario.stanza}, {"file", scenario.file.string()},
      {"cron", nullptr},           {"zone", nullptr},           {"next", nullptr},
      {"last", nullptr},           {"running", nullptr}};
  if (scenario.schedule) {
    json["cron"] = scenario.schedule->cron;
    json["zone"] = scenario.schedule->zone;
  }
  if (scenario.next_start) json["next"] = to_iso8601(*scenario.next_start);
  if (scenario.last) {
    json["last"] = {{"id", scenario.last->run_id},
                    {"verdict", name_of(scenario.last->verdict)},
                    {"started", to_iso8601(scenario.last->started)}};
  }
  if (scenario.running) {
    json["running"] = {{"id", scenario.running->run_id}, {"host", scenario.running->host}};
  }
  return json;
}

void print_json(const SchedulerSnapshot& snapshot) {
  Json scenarios = Json::array();
  for (const auto& scenario : snapshot.scenarios) scenarios.push_back(json_of(scenario));
  Json errors = Json::array();
  for (const auto& error : snapshot.errors) {
    errors.push_back({{"file", error.file.string()}, {"messages", error.messages}});
  }
  std::cout << Json{{"scenarios", scenarios}, {"errors", errors}}.dump(
                   2, ' ', false, Json::error_handler_t::replace)
            << '\n';
}

std::string minute_of(Instant instant) {
  auto text = to_iso8601(instant).substr(0, 16);
  text[10] = ' ';
  return text;
}

void print_table(const SchedulerSnapshot& snapshot, const CommonOptions& common) {
  const Palette paint(wants_color(STDOUT_FILENO, common.no_color));
  std::vector<std::array<std::string, 5>> rows{
      {"NEXT DRILL (UTC)", "SCENARIO", "STANZA", "SCHEDULE", "LAST"}};
  for (const auto& scenario : snapshot.scenarios) {
    rows.push_back({scenario.running      ? "running"
                    : scenario.next_start ? minute_of(*scenario.next_start)
                                          : "none",
                    scenario.name, scenario.stanza,
                    scenario.schedule
                        ? printable(scenario.schedule->cron + " " + scenario.schedule->zone)
                        : "none",
                    scenario.last ? std::string(shown_name_of(scenario.last->verdict)) : "never"});
  }
  std::array<std::size_t, 5> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      widths.at(i) = std::max(widths.at(i), columns_of(row.at(i)));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += (i == 0 ? "" : "  ") + pad_right(row.at(i), widths.at(i));
    }
    std::cout << (&row == &rows.front() ? paint.dim(line) : line) << '\n';
  }
  for (const auto& error : snapshot.errors) {
    for (const auto& message : error.messages) {
      std::cerr << paint.red("error: ") << printable(message) << '\n';
    }
  }
}

ExitCode list(const SchedulerSnapshot& snapshot, const CommonOptions& common) {
  if (common.format == "json") {
    print_json(snapshot);
  } else {
    print_table(snapshot, common);
  }
  return snapshot.errors.empty() ? ExitCode::pass : ExitCode::usage;
}

// One scheduler uses one ledger: the one that the first scenario uses.
class CommonLedger {
 public:
  // Throws Error(usage) if the scenario uses another one.
  void require(const Scenario& scenario) {
    const auto stated = ledger_of(scenario);
    const auto name = stated ? describe(*stated) : std::string("the ledger of the state directory");
    if (name_.empty()) {
      name_ = name;
      parameters_ = stated;
    }
    if (name == name_) return;
    throw Error(ErrorKind::usage,
                fmt::format("{}: its ledger is {}, the other scenarios use {}",
                            scenario.file.string(), name, name_),
                "one scheduler uses one ledger");
  }
  [[nodiscard]] std::optional<ConnectionParameters> parameters() const {
    return name_.empty() ? stated_ledger("") : parameters_;
  }

 private:
  std::string name_;
  std::optional<ConnectionParameters> parameters_;
};

// A second scheduler on this host goes on without pages, unless an address was asked for.
std::unique_ptr<WebPages> serve_pages(const ServeArguments& arguments, const CommonOptions& common,
                                      WebPages::Parts parts) {
  try {
    return std::make_unique<WebPages>(arguments.web, common, std::move(parts));
  } catch (const Error& error) {
    if (!arguments.web.listen.empty() || error.kind() != ErrorKind::environment) throw;
    spdlog::warn("no web pages: {}; {}", error.what(), error.hint());
    return nullptr;
  }
}

ExitCode serve(const ServeArguments& arguments, const CommonOptions& common,
               const std::stop_token& stop) {
  if (!std::filesystem::is_directory(arguments.directory)) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is not a directory", arguments.directory.string()),
                "name the directory that contains the scenarios (*.yaml)");
  }
  const auto options = scheduler_options(arguments, common);
  CommonLedger common_ledger;
  ScenarioDirectory directory(
      std::filesystem::absolute(arguments.directory).lexically_normal(),
      arguments.list ? std::filesystem::path() : common.state / "serve" / "scenarios",
      [&](const std::string& text, const std::filesystem::path& file) {
        auto scenario = parse_scenario(text, file.string(), {}, all_checks());
        common_ledger.require(scenario);
        return scenario;
      });
  directory.refresh();
  auto ledger = open_ledger(common_ledger.parameters(), common.state, stop);
  SpawnedProcesses processes(common.state, "/proc/self/exe", priority_of(arguments));
  Scheduler scheduler({.directory = directory,
                       .ledger = ledger,
                       .processes = processes,
                       .now = [] { return Instant(std::chrono::system_clock::now()); }},
                      options);
  scheduler.reload();
  if (arguments.list) {
    scheduler.step();
    return list(scheduler.snapshot(), common);
  }
  const SchedulerLock lock(common.state);
  // What a service does belongs into its log.
  if (common.log_level == "warn" && !common.quiet) spdlog::set_level(spdlog::level::info);
  const auto pages =
      serve_pages(arguments, common,
                  {.ledger = common_ledger.parameters(), .stop = stop, .control = &scheduler});
  ServiceManager manager;
  std::atomic<bool> reloading{false};
  const SignalWatch::HangupAction on_hangup(*common.signals, [&] {
    reloading = true;
    manager.reloading();
    scheduler.reload();
  });
  bool ready = false;
  scheduler.run(stop, arguments.wait, [&](const SchedulerSnapshot& snapshot) {
    if (reloading.exchange(false) || !ready) manager.ready();
    ready = true;
    if (snapshot.stopping) manager.stopping();
    manager.heartbeat(status_of(snapshot));
  });
  return ExitCode::pass;
}

}  // namespace

CommandAction configure_serve(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<ServeArguments>();
  command.add_option("directory", arguments->directory, "directory of scenarios (*.yaml, *.yml)")
      ->required()
      ->type_name("DIRECTORY");
  command.add_flag("--list", arguments->list,
                   "show when the next drills start and what is wrong in the files, and end");
  command.add_option("--max-drills", arguments->drills, "drills that run at the same time [1]")
      ->type_name("NUMBER")
      ->check(CLI::Range(1, 1000));
  command
      .add_option("--memory", arguments->memory,
                  "memory for all drills that run at the same time [half of the host's]")
      ->type_name("SIZE");
  command
      .add_option("--keep-free", arguments->free_disk,
                  "start no drill that would leave less disk space than this [0]")
      ->type_name("SIZE");
  command.add_option("--nice", arguments->nice, "niceness of drills, 0 to 19 [10]")
      ->type_name("NUMBER")
      ->check(CLI::Range(0, 19));
  command
      .add_option("--io-class", arguments->io_class,
                  "I/O priority of drills: normal, low or idle [low]")
      ->type_name("CLASS")
      ->check(one_of({"normal", "low", "idle"}));
  command.add_flag("--wait", arguments->wait,
                   "on SIGTERM, wait for the drills that are running; else they go on alone");
  command.add_option("--tick", arguments->tick, "how often to look at the clock [1s]")
      ->type_name("DURATION");
  add_web_options(command, arguments->web);
  return
      [arguments, &common](const std::stop_token& stop) { return serve(*arguments, common, stop); };
}

}  // namespace pgrehearse
