#include "harness/serve/scheduler.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"
#include "harness/report/run_store.hpp"
#include "harness/sandbox/host_resources.hpp"

namespace pgrehearse {

namespace {

using namespace std::chrono_literals;

// Of the wall clock against the steady one.
constexpr auto clock_tolerance = 2s;
// Before another look at a drill that runs on another host, or at one that waits.
constexpr auto look_again = 5s;
// After a start that led to no drill: the stanza was taken, or the file was changed meanwhile.
constexpr auto pause_after_failure = 1min;

bool is_due(const std::optional<DueDrill>& drill, Instant now) {
  return drill && drill->start <= now;
}

Bytes disk_for(Bytes cluster) {
  constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30U;
  // The cluster grows while WAL is replayed.
  return {cluster.count + cluster.count / 4 + gigabyte};
}

LastDrill last_drill(const LedgerRow& row) {
  LastDrill last{.run_id = row.id,
                 .verdict = row.verdict,
                 .started = row.started,
                 .seconds = {},
                 .diagnosis = row.diagnosis};
  if (row.finished) last.seconds = *row.finished - row.started;
  return last;
}

void log_errors(const std::vector<ScenarioFileError>& errors) {
  for (const auto& error : errors) {
    for (const auto& message : error.messages) spdlog::error("{}", message);
    if (!error.previous_version_of.empty()) {
      spdlog::warn("{}: the previous version of scenario '{}' stays in force", error.file.string(),
                   error.previous_version_of);
    }
  }
}

}  // namespace

Scheduler::Scheduler(const Parts& parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      stamps_(options_.state),
      now_(parts_.now()),
      steady_(std::chrono::steady_clock::now()) {}

void Scheduler::step() {
  note_clock();
  answer_requests();
  read_directory();
  observe_processes();
  use_ledger();
  publish();
}

void Scheduler::note_clock() {
  const auto now = parts_.now();
  const auto steady = std::chrono::steady_clock::now();
  const auto change = (now - now_) - (steady - steady_);
  now_ = now;
  steady_ = steady;
  if (change < clock_tolerance && change > -clock_tolerance) return;
  for (auto& [name, tracked] : tracked_) {
    tracked.next_look = {};
    tracked.not_before = {};
  }
}

void Scheduler::read_directory() {
  bool all = false;
  {
    const std::scoped_lock lock(mutex_);
    std::swap(all, reload_);
  }
  if (!all && steady_ < next_directory_look_) return;
  next_directory_look_ = steady_ + options_.directory_interval;
  if (!parts_.directory.refresh(all)) return;
  if (!options_.read_only) log_errors(parts_.directory.errors());
  std::map<std::string, Tracked, std::less<>> tracked;
  for (const auto* entry : parts_.directory.scenarios()) {
    const auto known = tracked_.find(entry->scenario.name);
    if (known != tracked_.end()) tracked[entry->scenario.name] = std::move(known->second);
    tracked[entry->scenario.name].next_look = {};
  }
  tracked_ = std::move(tracked);
  next_ledger_look_ = {};
  ledger_sequence_.reset();
  spdlog::info("{}: {}", parts_.directory.path().string(), counted(tracked_.size(), "scenario"));
}

void Scheduler::observe_processes() {
  processes_ = parts_.processes.list();
  const bool ended =
      std::ranges::any_of(processes_, [](const StartedProcess& entry) { return !entry.running; });
  if (ended) next_ledger_look_ = {};
}

// A ledger that cannot be used now is tried again later; drills that run do not need the scheduler.
void Scheduler::use_ledger() {
  try {
    if (!ledger_error_.empty() && steady_ < next_ledger_look_) return;
    read_ledger();
    for (const auto* entry : parts_.directory.scenarios()) {
      auto& tracked = tracked_[entry->scenario.name];
      if (now_ >= tracked.next_look) evaluate(*entry, tracked);
    }
    if (!stopping_ && !options_.read_only) start_due();
    if (!ledger_error_.empty()) spdlog::warn("the ledger can be used again");
    ledger_error_.clear();
  } catch (const Error& error) {
    if (ledger_error_ != error.what()) spdlog::error("no drills are started: {}", error.what());
    ledger_error_ = error.what();
    next_ledger_look_ = steady_ + options_.ledger_interval;
  }
}

void Scheduler::read_ledger() {
  if (steady_ < next_ledger_look_) return;
  if (!options_.read_only) {
    parts_.ledger.record_killed(now_);
    for (const auto& entry : processes_) {
      if (!entry.running) report_end(entry);
    }
  }
  std::erase_if(processes_, [](const StartedProcess& entry) { return !entry.running; });
  const auto sequence = parts_.ledger.last_sequence();
  if (sequence != ledger_sequence_) {
    read_last_drills();
    ledger_sequence_ = sequence;
  }
  elsewhere_ = parts_.ledger.running();
  std::erase_if(elsewhere_, [this](const LedgerRow& row) {
    return std::ranges::find(processes_, row.id, &StartedProcess::run_id) != processes_.end();
  });
  next_ledger_look_ = steady_ + options_.ledger_interval;
}

void Scheduler::read_last_drills() {
  const auto finished = parts_.ledger.newest_finished_of_each_scenario();
  for (const auto* entry : parts_.directory.scenarios()) {
    auto& tracked = tracked_[entry->scenario.name];
    const auto row = std::ranges::find(finished, entry->scenario.name, &LedgerRow::scenario);
    const auto* last = row == finished.end() ? nullptr : &*row;
    if (last != nullptr) tracked.last = last_drill(*last);
    if (const auto size = size_of(entry->scenario, last)) tracked.size = size;
  }
}

void Scheduler::report_end(const StartedProcess& entry) {
  const auto row = parts_.ledger.find(entry.run_id);
  const auto log = parts_.processes.remove(entry.run_id);
  for (const auto line : lines_of(log)) spdlog::warn("{}: {}", entry.scenario, line);
  const auto tracked = tracked_.find(entry.scenario);
  if (tracked != tracked_.end()) {
    tracked->second.next_look = {};
    if (!row) tracked->second.not_before = now_ + pause_after_failure;
  }
  if (!row) return;
  const auto text =
      fmt::format("{}: drill {} ended: {}{}{}", entry.scenario, entry.run_id, name_of(row->verdict),
                  row->diagnosis.empty() ? "" : ": ", row->diagnosis);
  if (row->verdict == Verdict::pass) {
    spdlog::info("{}", text);
  } else {
    spdlog::warn("{}", text);
  }
}

std::optional<Bytes> Scheduler::size_of(const Scenario& scenario, const LedgerRow* last) {
  if (last != nullptr && last->backup_bytes) return Bytes{*last->backup_bytes};
  if (tracked_[scenario.name].size) return {};
  for (const auto& filter : {LedgerFilter{.scenario = scenario.name},
                             LedgerFilter{.stanza = scenario.repository.stanza}}) {
    const auto pass = parts_.ledger.newest_pass(filter);
    if (pass && pass->backup_bytes) return Bytes{*pass->backup_bytes};
  }
  return {};
}

void Scheduler::evaluate(const ScenarioInForce& entry, Tracked& tracked) {
  const auto& scenario = entry.scenario;
  tracked.drill.reset();
  tracked.next_start.reset();
  if (!scenario.schedule) {
    tracked.next_look = Instant::max();
    return;
  }
  const auto& schedule = *scenario.schedule;
  const auto since = options_.read_only
                         ? stamps_.stored(scenario.name, schedule, now_).value_or(now_)
                         : stamps_.since(scenario.name, schedule, now_);
  const auto state = due_state(schedule, since, parts_.ledger, scenario.name, now_);
  const auto next = schedule.next_due(state.due.value_or(now_));
  tracked.drill = state.drill;
  if (next) tracked.next_start = schedule.start_of(*next);
  tracked.next_look = tracked.next_start.value_or(Instant::max());
  if (state.drill) {
    tracked.next_start = std::min(state.drill->start, tracked.next_look);
    tracked.next_look =
        std::min(std::max(state.drill->start, now_ + look_again), tracked.next_look);
  } else if (state.attempt && state.attempt->state == DrillState::running) {
    tracked.next_look = std::min(now_ + look_again, tracked.next_look);
  }
}

bool Scheduler::is_running(std::string_view scenario) const {
  return std::ranges::any_of(processes_, [&](const StartedProcess& entry) {
    return entry.scenario == scenario && entry.running;
  });
}

void Scheduler::start_due() {
  std::vector<std::pair<Instant, const ScenarioInForce*>> due;
  for (const auto* entry : parts_.directory.scenarios()) {
    auto& tracked = tracked_[entry->scenario.name];
    tracked.waiting_for.clear();
    if (is_due(tracked.drill, now_) && now_ >= tracked.not_before &&
        !is_running(entry->scenario.name)) {
      due.emplace_back(tracked.drill->start, entry);
    }
  }
  std::ranges::stable_sort(due, {}, &std::pair<Instant, const ScenarioInForce*>::first);
  for (const auto& [start, entry] : due) {
    auto& tracked = tracked_[entry->scenario.name];
    tracked.waiting_for = reason_to_wait_for(entry->scenario);
    if (!tracked.waiting_for.empty()) continue;
    launch(*entry, tracked.drill->due, "schedule");
    tracked.next_look = now_ + look_again;
  }
}

std::string Scheduler::reason_to_wait_for(const Scenario& scenario) {
  const auto& stanza = scenario.repository.stanza;
  std::vector<StartedProcess> running;
  for (const auto& entry : processes_) {
    if (!entry.running) continue;
    if (entry.stanza == stanza) {
      return fmt::format("another drill of stanza {} is running ({})", stanza, entry.scenario);
    }
    running.push_back(entry);
  }
  if (parts_.ledger.is_stanza_locked(stanza)) {
    for (const auto& row : elsewhere_) {
      if (row.stanza != stanza) continue;
      return fmt::format("another drill of stanza {} is running on {} ({})", stanza, row.host,
                         row.scenario);
    }
    return fmt::format("another drill of stanza {} is running", stanza);
  }
  return reason_to_wait(options_.budget, running, demand_of(scenario), parts_.disk);
}

HostDemand Scheduler::demand_of(const Scenario& scenario) const {
  if (scenario.kubernetes) return {};
  const auto& directory = scenario.sandbox.directory;
  HostDemand demand{.memory = scenario.sandbox.memory.value_or(Bytes{host_memory().count / 4}),
                    .disk = {},
                    .directory = directory.empty() ? options_.state : directory};
  const auto tracked = tracked_.find(scenario.name);
  if (tracked != tracked_.end() && tracked->second.size) {
    demand.disk = disk_for(*tracked->second.size);
  }
  return demand;
}

StartedDrill Scheduler::launch(const ScenarioInForce& entry, std::optional<Instant> due,
                               std::string_view requested_by) {
  StartedProcess process{.run_id = make_run_id(now_, random_()),
                         .scenario = entry.scenario.name,
                         .stanza = entry.scenario.repository.stanza,
                         .started = now_,
                         .due = due,
                         .demand = demand_of(entry.scenario)};
  std::vector<std::string> arguments{
      "run",      entry.file.string(), "--state", options_.state.string(),
      "--run-id", process.run_id,      "--quiet"};
  if (due) arguments.emplace_back("--if-due");
  arguments.emplace_back("--requested-by");
  arguments.emplace_back(requested_by);
  process.pid = parts_.processes.start(process, arguments);
  spdlog::info("{}: started drill {} (process {}{})", process.scenario, process.run_id, process.pid,
               due ? ", due " + entry.scenario.schedule->local_time(*due) : "");
  processes_.push_back(process);
  return {.run_id = process.run_id, .pid = process.pid};
}

void Scheduler::run(const std::stop_token& stop, bool wait_for_drills, const Heartbeat& heartbeat) {
  while (true) {
    stopping_ = stop.stop_requested();
    step();
    heartbeat(snapshot());
    const bool running =
        std::ranges::any_of(processes_, [](const auto& entry) { return entry.running; });
    if (stopping_ && !(wait_for_drills && running)) break;
    std::unique_lock lock(mutex_);
    const auto asked = [this] { return reload_ || !requests_.empty(); };
    if (stopping_) {
      wake_.wait_for(lock, options_.tick, asked);
    } else {
      wake_.wait_for(lock, stop, options_.tick, asked);
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  answer_requests();
}

void Scheduler::reload() {
  const std::scoped_lock lock(mutex_);
  reload_ = true;
  wake_.notify_all();
}

}  // namespace pgrehearse
