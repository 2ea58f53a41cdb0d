#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "harness/cli/commands.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/drill/check_runner.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

std::optional<double> expected_seconds(const Scenario& scenario, const CommonOptions& common) {
  const auto last = RunStore(common.state).newest_passed(scenario.name, scenario.repository.stanza);
  if (!last) return {};
  double seconds = 0;
  for (const auto& phase : last->phases) seconds += phase.seconds;
  return seconds;
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
  const auto seconds = expected_seconds(scenario, common);
  const auto problem = preparation.wal_problem();
  return {{"scenario", scenario.name},
          {"recover_to", to_text(scenario.target)},
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
          {"expected_seconds", seconds ? Json(*seconds) : Json(nullptr)},
          {"sandbox", scenario.sandbox.type},
          {"checks", checks}};
}

void print(const Json& plan) {
  const auto text = [](const Json& value) { return printable(value.get<std::string>()); };
  const auto& backup = plan["backup"];
  const auto& wal = plan["wal"];
  std::cout << fmt::format("drill {}: recover to {}\n", text(plan["scenario"]),
                           text(plan["recover_to"]));
  std::cout << fmt::format(
      "  backup   {} ({}, {}), completed {}\n", text(backup["label"]), text(backup["type"]),
      to_text(Bytes{backup["bytes"].get<std::uint64_t>()}), text(backup["stop_time"]));
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
  std::cout << fmt::format("  time     {}\n",
                           plan["expected_seconds"].is_null()
                               ? std::string("unknown: no drill of this stanza has passed")
                               : to_text(Seconds(plan["expected_seconds"].get<double>())) +
                                     " (as in the last drill that passed)");
  std::cout << "  checks\n";
  for (const auto& check : plan["checks"]) {
    std::cout << fmt::format("           {:<28} {}\n", text(check["name"]), text(check["state"]));
  }
}

void print_manifest(const Scenario& scenario, const CommonOptions& common,
                    const std::stop_token& stop) {
  const auto parts = wire(scenario, common.state, fmt::format("plan-{}", getpid()));
  std::random_device random;
  const auto run_id =
      make_run_id(std::chrono::system_clock::now(), (std::uint64_t{random()} << 32U) | random());
  const auto manifest =
      parts.executor->manifest(run_id, common.format == "json" ? "json" : "yaml", stop);
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
    const auto scenario = load_scenario(*file, *overrides, all_checks());
    if (*manifest) {
      print_manifest(scenario, common, stop);
      return ExitCode::pass;
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
