#include "harness/serve/due_drill.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgrehearse {

namespace {

using namespace std::chrono_literals;

std::optional<LedgerRow> last_attempt(Ledger& ledger, const std::string& scenario, Instant due) {
  const auto newest = ledger.last_due(scenario);
  if (!newest || !newest->due || *newest->due < due) return {};
  if (*newest->due == due) return newest;
  // The clock was set back.
  std::optional<LedgerRow> last;
  for (auto& row : ledger.list({.scenario = scenario, .since = due})) {
    if (row.due == due && (!last || row.attempt > last->attempt)) last = std::move(row);
  }
  return last;
}

// Why nothing has to be run now.
std::string not_due(const Schedule& schedule, const DueState& state, Instant now) {
  const auto next = schedule.next_to_start(now);
  auto text = next ? fmt::format("not due; the next drill starts at {}",
                                 schedule.local_time(schedule.start_of(*next)))
                   : std::string("not due");
  if (state.drill) {
    text = fmt::format("the next attempt is at {}", schedule.local_time(state.drill->start));
  }
  if (!state.attempt) return text;
  const auto& last = *state.attempt;
  return fmt::format(
      "{} (the drill due at {}: {})", text, schedule.local_time(*last.due),
      last.state == DrillState::finished ? name_of(last.verdict) : name_of(last.state));
}

}  // namespace

std::chrono::minutes delay_after(std::uint64_t attempt) {
  if (attempt <= 1) return 10min;
  return attempt == 2 ? 1h : 6h;
}

DueState due_state(const Schedule& schedule, Instant since, Ledger& ledger,
                   const std::string& scenario, Instant now) {
  DueState state{.due = schedule.last_started(now)};
  if (!state.due || *state.due <= since) return state;
  state.attempt = last_attempt(ledger, scenario, *state.due);
  if (!state.attempt) {
    state.drill = DueDrill{.due = *state.due, .start = schedule.start_of(*state.due)};
    return state;
  }
  const auto& last = *state.attempt;
  const bool proved_something = last.verdict == Verdict::pass || last.verdict == Verdict::fail;
  if (last.state == DrillState::running || proved_something || last.attempt >= most_attempts) {
    return state;
  }
  state.drill = DueDrill{.due = *state.due,
                         .attempt = last.attempt + 1,
                         .start = last.finished.value_or(last.started) + delay_after(last.attempt)};
  return state;
}

DueDecision decide_due(Ledger& ledger, const ScheduleStamps& stamps, const Scenario& scenario,
                       Instant now) {
  const auto& schedule = *scenario.schedule;
  // A killed attempt has to be repeated.
  ledger.record_killed(now);
  const auto since = stamps.since(scenario.name, schedule, now);
  const auto state = due_state(schedule, since, ledger, scenario.name, now);
  if (!state.drill || state.drill->start > now) {
    return {.drill = {}, .reason = not_due(schedule, state, now)};
  }
  const auto& stanza = scenario.repository.stanza;
  if (ledger.is_stanza_locked(stanza)) {
    return {.drill = {}, .reason = fmt::format("another drill of stanza {} is running", stanza)};
  }
  return {.drill = state.drill, .reason = ""};
}

}  // namespace pgrehearse
