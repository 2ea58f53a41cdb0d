// Notifications of drills, as the commands send them.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/common/error.hpp"
#include "harness/notify/outcome.hpp"
#include "harness/report/report.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// Sends what is due after the drill, and records the outcomes in its run directory. Nothing is sent
// for a drill that was interrupted. Does not throw: failures are logged.
void notify_of_drill(const Scenario& scenario, const Report& report, const CommonOptions& common,
                     const std::stop_token& stop);

// The same for a drill that could not start, and has no run directory. Nothing is sent for a usage
// error or an interruption.
void notify_of_error(const Scenario& scenario, const Error& error, const std::stop_token& stop);

// Sends test messages through the channels `specs` of the scenario.
std::vector<Outcome> send_test_notifications(const Scenario& scenario,
                                             std::span<const NotificationSpec> specs,
                                             const std::stop_token& stop);

}  // namespace pgrehearse
