#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "harness/cli/commands.hpp"
#include "harness/cli/metrics_export.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/serve/metrics/metric_table.hpp"

namespace pgrehearse {

namespace {

struct MetricsOptions {
  std::vector<std::filesystem::path> scenarios;
  std::vector<std::string> overrides;
  MetricsTargets targets;
  bool no_wal = false;
  bool list = false;
};

// Returns whether every repository could be listed.
bool observe_all(std::span<const Scenario> scenarios, const MetricsOptions& options,
                 const CommonOptions& common, const std::stop_token& stop) {
  bool all = true;
  for (const auto& scenario : scenarios) {
    try {
      observe_repository(scenario, {.read_wal = !options.no_wal}, common, stop);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      // Its last observation is exported again: its age shows that it is old.
      spdlog::error("{}: {}{}{}", scenario.name, error.what(), error.hint().empty() ? "" : "; ",
                    error.hint());
      all = false;
    }
  }
  return all;
}

ExitCode export_all(const MetricsOptions& options, const CommonOptions& common,
                    const std::stop_token& stop) {
  if (options.list) {
    std::cout << metric_reference_markdown() << std::flush;
    return ExitCode::pass;
  }
  const auto scenarios = load_scenarios(options.scenarios, options.overrides);
  const bool all = observe_all(scenarios, options, common, stop);
  if (options.targets.any()) {
    export_metrics(scenarios, options.targets, common, stop);
  } else {
    std::cout << metrics_of(scenarios, common, stop) << std::flush;
  }
  return all ? ExitCode::pass : ExitCode::unknown;
}

}  // namespace

CommandAction configure_metrics(CLI::App& command, const CommonOptions& common) {
  auto options = std::make_shared<MetricsOptions>();
  command
      .add_option("scenario", options->scenarios,
                  "scenarios whose repositories are listed first; none: only stored results")
      ->type_name("FILE");
  command.add_option("--set", options->overrides, "override a scenario value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option("-o,--output", options->targets.file,
                  "write to this file (*.prom of node_exporter's textfile collector) instead of "
                  "standard output")
      ->type_name("FILE");
  command
      .add_option("--pushgateway", options->targets.pushgateway,
                  "send the metrics of each scenario to this Prometheus Pushgateway")
      ->type_name("URL");
  command.add_flag("--no-wal", options->no_wal,
                   "do not read WAL: the time of the newest recoverable transaction is absent");
  command.add_flag("--list", options->list, "list the names and meanings of all metrics");
  return [options, &common](const std::stop_token& stop) {
    return export_all(*options, common, stop);
  };
}

}  // namespace pgrehearse
