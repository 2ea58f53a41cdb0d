// Runs the checks of one state side by side, heaviest first, and turns whatever they do into
// records.
#pragma once

#include <functional>
#include <memory>
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
  std::optional<Error> failure = {};  // of a stop, before its run
};

// The scenario's checks and those that always run, in the table's order.
// Throws Error(usage) for a name that is not in the table.
std::vector<PlannedCheck> plan_checks(const Scenario& scenario,
                                      std::span<const CheckDescription> table);

// Runs those of `state` on at most `workers` threads; an exception is `unknown` with its message, a
// stop request leaves the rest `skipped`. `on_finished` is called one at a time. Records come in
// the order of `checks`.
std::vector<CheckRecord> run_checks(std::span<PlannedCheck> checks, InstanceState state,
                                    CheckContext& context, std::size_t workers,
                                    const std::function<void(const CheckRecord&)>& on_finished);

}  // namespace pgrehearse
