#include "harness/cli/metrics_export.hpp"

#include <spdlog/spdlog.h>

#include "harness/cli/drill_session.hpp"
#include "harness/cli/history_options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/host_name.hpp"
#include "harness/http/curl_http_client.hpp"
#include "harness/map/build_map.hpp"
#include "harness/map/map_edges.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/reporter.hpp"
#include "harness/serve/metrics/observation_file.hpp"
#include "harness/serve/metrics/pushgateway.hpp"
#include "harness/serve/metrics/repository_samples.hpp"

namespace pgrehearse {

namespace {

std::optional<ArchiverStatus> archiver_of(const ScenarioParts& parts, const std::stop_token& stop) {
  if (!parts.primary) return {};
  try {
    return read_archiver(*parts.primary, stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    // Its metrics are absent then.
    spdlog::warn("the archiver's status is unknown: {}", error.what());
    return {};
  }
}

// What the ledger will know about a drill of this host.
LedgerRow row_of(const Scenario& scenario, const Report& report, const CommonOptions& common) {
  LedgerRow row{.id = report.id,
                .scenario = scenario.name,
                .stanza = scenario.repository.stanza,
                .host = report.host,
                .started = report.started};
  set_results(row, report);
  row.directory = RunStore(common.state).find(scenario.name + "/" + report.id).parent_path();
  return row;
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  write_output_file(file, [&](std::ostream& out) { out << text; });
}

}  // namespace

void observe_repository(const Scenario& scenario, const ObservationOptions& options,
                        const CommonOptions& common, const std::stop_token& stop) {
  const auto id = new_run_id();
  const auto parts = wire(scenario, common.state, id);
  auto map = build_map(scenario.repository, *parts.repository, MapReading::list, stop);
  if (options.read_wal) {
    auto sandbox = scenario.sandbox;
    sandbox.run_id = id;
    sandbox.scenario = scenario.name;
    read_edges(map, {*parts.repository, parts.provisioner.get(), sandbox}, stop);
  }
  RepositoryObservation observation{.map = map, .archiver = archiver_of(parts, stop), .space = {}};
  const auto directory = local_repository(parts.repository->access(), scenario.repository.stanza);
  if (directory) observation.space = space_of(*directory);
  save_observation(common.state, scenario.name, repository_samples(observation));
}

MetricsCollector::Options metrics_options(const CommonOptions& common) {
  return {.state = common.state, .host = host_name(), .only_this_host = true};
}

std::string metrics_of(std::span<const Scenario> scenarios, const CommonOptions& common,
                       const std::stop_token& stop) {
  auto ledger = open_ledger(scenarios.empty() ? stated_ledger("") : ledger_of(scenarios.front()),
                            common.state, stop);
  return MetricsCollector(metrics_options(common)).text(ledger);
}

bool export_metrics(const Scenario& scenario, const Report& report, const MetricsTargets& targets,
                    const CommonOptions& common, const std::stop_token& stop) {
  if (!targets.any()) return true;
  try {
    auto ledger = open_ledger(ledger_of(scenario), common.state, stop);
    auto options = metrics_options(common);
    options.newest = row_of(scenario, report, common);
    if (!targets.file.empty()) write_file(targets.file, MetricsCollector(options).text(ledger));
    if (!targets.pushgateway.empty()) {
      options.scenario = scenario.name;
      push_metrics(CurlHttpClient({}), targets.pushgateway, scenario.name,
                   MetricsCollector(options).text(ledger), stop);
    }
    return true;
  } catch (const Error& error) {
    spdlog::error("metrics: {}; {}", error.what(), error.hint());
    return false;
  }
}

void export_metrics(std::span<const Scenario> scenarios, const MetricsTargets& targets,
                    const CommonOptions& common, const std::stop_token& stop) {
  if (!targets.file.empty()) write_file(targets.file, metrics_of(scenarios, common, stop));
  if (targets.pushgateway.empty()) return;
  for (const auto& scenario : scenarios) {
    auto ledger = open_ledger(ledger_of(scenario), common.state, stop);
    const auto text =
        MetricsCollector({.state = common.state, .host = host_name(), .scenario = scenario.name})
            .text(ledger);
    push_metrics(CurlHttpClient({}), targets.pushgateway, scenario.name, text, stop);
  }
}

}  // namespace pgrehearse
