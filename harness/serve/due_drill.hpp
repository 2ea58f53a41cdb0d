// Whether a scheduled drill has to be run, from the schedule and what the ledger has of it. Every
// due time needs one drill that passed or failed; of several that were missed, only the last.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "harness/history/ledger.hpp"
#include "harness/scenario/scenario.hpp"
#include "harness/serve/schedule/schedule.hpp"
#include "harness/serve/schedule_stamps.hpp"

namespace pgrehearse {

// For each due time. After an `unknown` drill, and after one that was killed, there is another
// attempt: 10 minutes later, then an hour, then six hours.
inline constexpr std::uint64_t most_attempts = 4;
std::chrono::minutes delay_after(std::uint64_t attempt);

// A drill that has to be run.
struct DueDrill {
  Instant due;
  std::uint64_t attempt = 1;
  Instant start;  // not before; in the future for a retry
};

// The state of the last due time.
struct DueState {
  std::optional<Instant> due = {};        // absent: none yet
  std::optional<DueDrill> drill = {};     // absent: nothing has to be run
  std::optional<LedgerRow> attempt = {};  // the last one for `due`
};

// `since`: from when on the schedule is in force; drills due before are not caught up.
DueState due_state(const Schedule& schedule, Instant since, Ledger& ledger,
                   const std::string& scenario, Instant now);

struct DueDecision {
  std::optional<DueDrill> drill;  // to be run now
  std::string reason;             // else: "not due; the next drill starts at 2026-12-05 03:04 CET"
};

// What `run --if-due` does. The scenario has a schedule. Of several processes that decide to run
// the same attempt, on any host, Ledger::start() admits one.
DueDecision decide_due(Ledger& ledger, const ScheduleStamps& stamps, const Scenario& scenario,
                       Instant now);

}  // namespace pgrehearse
