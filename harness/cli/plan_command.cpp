#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/drill/check_runner.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/report/forecast.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t past_drills = 30;

Json phases_of(const std::vector<ExpectedPhase>& phases) {
  auto json = Json::array();
  for (const auto& phase : phases) {
    json.push_back({{"name", phase.name},
                    {"seconds", phase.seconds},
                    {"low", phase.low},
                    {"high", phase.high},
                    {"bytes", phase.bytes ? Json(*phase.bytes) : Json()}});
  }
  return json;
}

// The RTO of drills that passed, as a trend.
Json rto_forecast(const std::vector<Report>& past, const Scenario& scenario) {
  std::vector<PastRecovery> recoveries;
  for (const auto& report : past) {
    if (!report.rto.measured || !report.backup) continue;
    recoveries.push_back({.at = report.started,
                          .rto = *report.rto.measured,
                          .bytes = static_cast<double>(report.backup->bytes)});
  }
  const auto objective = scenario.objectives.rto
                             ? std::optional(Seconds(*scenario.objectives.rto).count())
                             : std::nullopt;
  const auto forecast = forecast_rto(recoveries, objective, std::chrono::system_clock::now());
  if (!forecast.seconds) return {};
  return {{"seconds", *forecast.seconds},
          {"low", forecast.low},
          {"high", forecast.high},
          {"text", in_words(forecast)},
          {"growth", growth_in_words(forecast)}};
}

Json plan_of(const Scenario& scenario, const Preparation& preparation,
             const CommonOptions& common) {
  const auto& [backup, reason] = *preparation.choice;
  const auto& lineage = *preparation.lineage;
  auto checks = Json::array();
  for (const auto& planned : plan_checks(scenario, all_checks())) {
    checks.push_back(
        {{"name", planned.request.name}, {"state", std::string(name_of(planned.state))}});
  }
  const auto past =
      RunStore(common.state).newest_passed(scenario.name, scenario.repository.stanza, past_drills);
  const auto phases = expected_phases(std::span(past).first(std::min<std::size_t>(past.size(), 5)),
                                      backup.size.count);
  double seconds = 0;
  for (const auto& phase : phases) seconds += phase.seconds;
  const auto problem = preparation.wal_problem();
  return {{"scenario", scenario.name},
          {"recover_to", to_text(preparation.target)},
          {"backup",
           {{"label", backup.label},
            {"type", std::string(name_of(backup.type))},
            {"reason", reason},
            {"stop_time", to_iso8601(backup.stop_time)},
            {"bytes", backup.size.count}}},
          {"wal",
           {{"segments", lineage.required_count},
            {"missing", lineage.missing_count},
            {"problem", problem ? Json(*problem) : Json(nullptr)},
            {"bytes", lineage.required_bytes.count},
            {"timeline", lineage.timeline},
            {"end_lsn", to_text(lineage.reachable_end)}}},
          {"space_needed_bytes", preparation.required_space().count},
          {"expected_seconds", phases.empty() ? Json(nullptr) : Json(seconds)},
          {"expected_phases", phases_of(phases)},
          {"rto_forecast", rto_forecast(past, scenario)},
          {"sandbox", scenario.sandbox.type},
          {"checks", checks}};
}

void print_expected_time(const Json& plan) {
  if (plan["expected_seconds"].is_null()) {
    std::cout << "  time     unknown: no drill of this stanza has passed\n";
    return;
  }
  const auto duration = [](const Json& seconds) {
    return duration_in_words(seconds.get<double>());
  };
  std::cout << fmt::format("  time     about {}\n", duration(plan["expected_seconds"]));
  for (const auto& phase : plan["expected_phases"]) {
    if (phase["seconds"] < plan["expected_seconds"].get<double>() * 0.05) continue;
    std::cout << fmt::format(
        "           {:<28} {} ({} to {})\n", printable(phase["name"].get<std::string>()),
        duration(phase["seconds"]), duration(phase["low"]), duration(phase["high"]));
  }
  const auto& forecast = plan["rto_forecast"];
  if (forecast.is_null()) return;
  std::cout << fmt::format("  RTO      {}\n", forecast["text"].get<std::string>());
  if (const auto growth = forecast["growth"].get<std::string>(); !growth.empty()) {
    std::cout << fmt::format("           {}\n", growth);
  }
}

void print(const Json& plan) {
  const auto text = [](const Json& value) { return printable(value.get<std::string>()); };
  const auto& backup = plan["backup"];
  const auto& wal = plan["wal"];
  std::cout << fmt::format("drill {}: recover to {}\n", text(plan["scenario"]),
                           text(plan["recover_to"]));
  std::cout << fmt::format("  backup   {} ({}, {}), completed {}\n", text(backup["label"]),
                           text(backup["type"]),
                           to_text(Bytes{backup["bytes"].get<std::uint64_t>()}),
                           to_text(*parse_instant(backup["stop_time"].get<std::string>())));
  std::cout << fmt::format("           {}\n", text(backup["reason"]));
  std::cout << fmt::format("  WAL      {} segments ({} in the repository), timeline {}, up to {}\n",
                           wal["segments"].get<std::uint64_t>(),
                           to_text(Bytes{wal["bytes"].get<std::uint64_t>()}),
                           wal["timeline"].get<std::uint32_t>(), text(wal["end_lsn"]));
  if (!wal["problem"].is_null()) {
    std::cout << fmt::format("           problem: {}\n", text(wal["problem"]));
  }
  std::cout << fmt::format("  space    {} needed in a {} sandbox\n",
                           to_text(Bytes{plan["space_needed_bytes"].get<std::uint64_t>()}),
                           text(plan["sandbox"]));
  print_expected_time(plan);
  std::cout << "  checks\n";
  for (const auto& check : plan["checks"]) {
    std::cout << fmt::format("           {:<28} {}\n", text(check["name"]), text(check["state"]));
  }
}

void print_manifest(const Scenario& scenario, const CommonOptions& common,
                    const std::stop_token& stop) {
  const auto parts = wire(scenario, common.state, fmt::format("plan-{}", getpid()));
  const auto manifest =
      parts.executor->manifest(new_run_id(), common.format == "json" ? "json" : "yaml", stop);
  if (!manifest) {
    throw Error(ErrorKind::usage,
                fmt::format("sandbox type {} has no manifest", scenario.sandbox.type),
                "--manifest requires sandbox.type: kubernetes");
  }
  std::cout << *manifest;
}

}  // namespace

CommandAction configure_plan(CLI::App& command, const CommonOptions& common) {
  auto file = std::make_shared<std::filesystem::path>();
  auto overrides = std::make_shared<std::vector<std::string>>();
  command.add_option("scenario", *file, "scenario file")->required()->type_name("FILE");
  command.add_option("--set", *overrides, "override a scenario value: --set recover_to=immediate")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  auto manifest = std::make_shared<bool>(false);
  command.add_flag(
      "--manifest", *manifest,
      "print the Kubernetes objects that a drill would create (sandbox.type: kubernetes)");
  return [file, overrides, manifest, &common](const std::stop_token& stop) {
    auto scenario = load_scenario(*file, *overrides, all_checks());
    if (*manifest) {
      print_manifest(scenario, common, stop);
      return ExitCode::pass;
    }
    const auto ledger_parameters = ledger_of(scenario);
    if (ledger_parameters || has_ledger(common.state)) {
      auto ledger = open_ledger(ledger_parameters, common.state, stop);
      scenario.repository.trials = ledger.trials(scenario.repository.stanza);
    }
    const auto parts = wire(scenario, common.state, fmt::format("plan-{}", getpid()));
    Preparation preparation(scenario, preparation_parts(parts), common.state);
    preparation.take_all(stop);
    const auto plan = plan_of(scenario, preparation, common);
    if (common.format == "json") {
      std::cout << plan.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    } else {
      print(plan);
    }
    return preparation.wal_problem() ? ExitCode::fail : ExitCode::pass;
  };
}

}  // namespace pgrehearse
