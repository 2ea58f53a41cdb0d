#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "harness/cli/commands.hpp"
#include "harness/cli/notifications.hpp"
#include "harness/cli/options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/text.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

struct NotifyOptions {
  std::string action;
  std::filesystem::path scenario;
  std::vector<std::string> overrides;
  std::vector<std::string> only;
};

std::vector<NotificationSpec> selected(const Scenario& scenario,
                                       const std::vector<std::string>& only) {
  std::vector<std::string> names;
  for (const auto& spec : scenario.notifications) names.push_back(spec.name);
  if (names.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: the scenario has no key `notify`", scenario.file.string()),
                "for example notify: [slack: { url: \"${SLACK_WEBHOOK_URL}\" }]");
  }
  if (only.empty()) return scenario.notifications;
  std::vector<NotificationSpec> specs;
  for (const auto& name : only) {
    const auto found = std::ranges::find(scenario.notifications, name, &NotificationSpec::name);
    if (found == scenario.notifications.end()) {
      const auto near = nearest(name, names);
      throw Error(ErrorKind::usage,
                  fmt::format("{}: no channel is named '{}'", scenario.file.string(), name),
                  near ? fmt::format("did you mean '{}'?", *near)
                       : fmt::format("channels: {}", join(names, ", ")));
    }
    specs.push_back(*found);
  }
  return specs;
}

void print(std::span<const Outcome> outcomes, const CommonOptions& common) {
  if (common.format == "json") {
    std::cout << to_json(outcomes) << std::flush;
    return;
  }
  std::size_t width = 0;
  for (const auto& outcome : outcomes) width = std::max(width, columns_of(outcome.name));
  for (const auto& outcome : outcomes) {
    std::string state(name_of(outcome.delivery));
    if (outcome.delivery == Delivery::not_due) state = "skipped";
    const auto line = fmt::format("{}  {}{}", pad_right(printable(outcome.name), width), state,
                                  outcome.reason.empty() ? "" : ": " + outcome.reason);
    std::cout << printable(line) << "\n";
  }
  std::cout.flush();
}

}  // namespace

CommandAction configure_notify(CLI::App& command, const CommonOptions& common) {
  auto options = std::make_shared<NotifyOptions>();
  command.add_option("action", options->action, "test")
      ->required()
      ->check(one_of({"test"}))
      ->type_name("ACTION");
  command.add_option("scenario", options->scenario, "scenario file")->required()->type_name("FILE");
  command.add_option("--only", options->only, "only the channel with this name")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command.add_option("--set", options->overrides, "override a scenario value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  return [options, &common](const std::stop_token& stop) {
    const auto scenarios = load_scenarios(std::vector{options->scenario}, options->overrides);
    const auto& scenario = scenarios.front();
    const auto outcomes =
        send_test_notifications(scenario, selected(scenario, options->only), stop);
    print(outcomes, common);
    const auto failed = std::ranges::count(outcomes, Delivery::failed, &Outcome::delivery);
    return failed == 0 ? ExitCode::pass : ExitCode::fail;
  };
}

}  // namespace pgrehearse
