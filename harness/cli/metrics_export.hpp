// Metrics of `run` and `metrics`: to a file, to a Pushgateway.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "harness/cli/command_table.hpp"
#include "harness/report/report.hpp"
#include "harness/scenario/scenario.hpp"
#include "harness/serve/metrics/metrics_collector.hpp"

namespace pgrehearse {

struct MetricsTargets {
  std::filesystem::path file;  // for node_exporter's textfile collector; empty: none
  std::string pushgateway;     // its address; empty: none
  [[nodiscard]] bool any() const { return !file.empty() || !pushgateway.empty(); }
};

// Lists the scenario's repository, asks its primary's archiver, and stores what it found in the
// state directory, for this and later exports. Throws Error.
struct ObservationOptions {
  bool read_wal = true;  // for the time of the newest recoverable transaction
};
void observe_repository(const Scenario& scenario, const ObservationOptions& options,
                        const CommonOptions& common, const std::stop_token& stop);

// What `metrics` and the web pages export: the drills of this host, and stored observations.
MetricsCollector::Options metrics_options(const CommonOptions& common);

// The metrics of this state directory and host, as text, from the ledger that the scenarios use.
std::string metrics_of(std::span<const Scenario> scenarios, const CommonOptions& common,
                       const std::stop_token& stop);

// After a drill. Returns whether everything was written; logs what was not.
[[nodiscard]] bool export_metrics(const Scenario& scenario, const Report& report,
                                  const MetricsTargets& targets, const CommonOptions& common,
                                  const std::stop_token& stop);
// After observations. Throws Error(environment).
void export_metrics(std::span<const Scenario> scenarios, const MetricsTargets& targets,
                    const CommonOptions& common, const std::stop_token& stop);

}  // namespace pgrehearse
