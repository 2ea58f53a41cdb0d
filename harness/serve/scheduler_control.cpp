// The scheduler as the web pages and the metrics see it: requests from other threads are answered
// by the thread of the scheduler, snapshots are copies.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/serve/scheduler.hpp"

namespace pgrehearse {

template <typename Question>
auto Scheduler::ask(Question question) {
  std::packaged_task<decltype(question())()> task(std::move(question));
  auto answer = task.get_future();
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) throw Error(ErrorKind::environment, "the scheduler has stopped");
    requests_.emplace_back([&task] { task(); });
    wake_.notify_all();
  }
  return answer.get();
}

void Scheduler::answer_requests() {
  std::deque<std::function<void()>> requests;
  {
    const std::scoped_lock lock(mutex_);
    requests.swap(requests_);
  }
  for (const auto& request : requests) request();
}

StartedDrill Scheduler::start(std::string_view scenario, std::string_view requested_by) {
  return ask([&] { return start_now(scenario, requested_by); });
}

void Scheduler::stop(std::string_view run_id) {
  ask([&] { stop_now(run_id); });
}

const ScenarioInForce* Scheduler::find(std::string_view scenario) const {
  for (const auto* entry : parts_.directory.scenarios()) {
    if (entry->scenario.name == scenario) return entry;
  }
  return nullptr;
}

StartedDrill Scheduler::start_now(std::string_view scenario, std::string_view requested_by) {
  const auto* entry = find(scenario);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const auto& [name, tracked] : tracked_) names.push_back(name);
    throw Error(ErrorKind::usage, fmt::format("there is no scenario '{}'", scenario),
                hint_for_unknown(scenario, names));
  }
  if (stopping_) throw Error(ErrorKind::environment, "the scheduler is stopping");
  const auto reason = reason_to_wait_for(entry->scenario);
  if (!reason.empty()) throw Error(ErrorKind::environment, reason, "try again later");
  const auto started = launch(*entry, {}, requested_by);
  publish();
  return started;
}

void Scheduler::stop_now(std::string_view run_id) {
  const auto process = std::ranges::find(processes_, run_id, &StartedProcess::run_id);
  if (process == processes_.end() || !process->running) {
    throw Error(ErrorKind::usage, fmt::format("no drill {} is running on this host", run_id));
  }
  // First: a drill that ends is tried again.
  const auto* entry = find(process->scenario);
  if (entry != nullptr && entry->scenario.schedule && process->due) {
    stamps_.settle(process->scenario, *entry->scenario.schedule, *process->due);
  }
  process->stopping = true;
  parts_.processes.stop(process->run_id);
  publish();
  spdlog::info("{}: stopping drill {}", process->scenario, process->run_id);
}

ScheduledScenario Scheduler::described(const ScenarioInForce& entry) const {
  const auto& scenario = entry.scenario;
  ScheduledScenario result{.name = scenario.name,
                           .file = scenario.file,
                           .stanza = scenario.repository.stanza,
                           .schedule = {},
                           .next_start = {},
                           .running = {},
                           .last = {},
                           .waiting_for = ""};
  if (scenario.schedule) result.schedule = scenario.schedule->text();
  if (const auto found = tracked_.find(scenario.name); found != tracked_.end()) {
    result.next_start = found->second.next_start;
    result.last = found->second.last;
    result.waiting_for = found->second.waiting_for;
  }
  for (const auto& row : elsewhere_) {
    if (row.scenario != scenario.name) continue;
    result.running =
        RunningDrill{.run_id = row.id, .host = row.host, .started = row.started, .due = row.due};
  }
  for (const auto& process : processes_) {
    if (process.scenario != scenario.name || !process.running) continue;
    result.running = RunningDrill{.run_id = process.run_id,
                                  .host = options_.host,
                                  .pid = process.pid,
                                  .started = process.started,
                                  .due = process.due,
                                  .stopping = process.stopping};
  }
  return result;
}

void Scheduler::publish() {
  SchedulerSnapshot snapshot{.at = now_,
                             .host = options_.host,
                             .stopping = stopping_,
                             .scenarios = {},
                             .errors = parts_.directory.errors()};
  for (const auto* entry : parts_.directory.scenarios()) {
    snapshot.scenarios.push_back(described(*entry));
  }
  const std::scoped_lock lock(mutex_);
  snapshot_ = std::move(snapshot);
}

SchedulerSnapshot Scheduler::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return snapshot_;
}

}  // namespace pgrehearse
