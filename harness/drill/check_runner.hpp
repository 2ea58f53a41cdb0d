// Runs the checks of one state in parallel, heaviest first, and records their outcomes.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "harness/drill/check.hpp"

namespace pgrehearse {

// A check that this drill will run.
struct PlannedCheck {
  const CheckDescription* description = nullptr;
  CheckRequest request;
  std::unique_ptr<Check> check;
  InstanceState state = InstanceState::paused;
  std::exception_ptr failure = {};  // of before_stop()
};

struct FinishedCheck {
  CheckRecord record;
  std::optional<ComparisonRecord> comparison = {};
};

// The scenario's checks and those that always run, in the table's order. Without a primary, those
// that need one do not run.
// Throws Error(usage) for a name that is not in the table, Error(internal) for a check that cannot
// run in the state of its row.
std::vector<PlannedCheck> plan_checks(const Scenario& scenario,
                                      std::span<const CheckDescription> table);

// Calls before_stop() of the checks that run on a stopped instance. Throws Error(interrupted).
void prepare_stop(std::span<PlannedCheck> checks, const LandedContext& context);

// Runs the checks of `state` on at most `workers` threads. An exception is recorded as `unknown`
// with its message; after a stop request the remaining checks are `skipped`. `on_finished` is
// called by one thread at a time. Results are in the order of `checks`.
std::vector<FinishedCheck> run_checks(std::span<PlannedCheck> checks, InstanceState state,
                                      const CheckContext& context, std::size_t workers,
                                      const std::function<void(const CheckRecord&)>& on_finished);

}  // namespace pgrehearse
