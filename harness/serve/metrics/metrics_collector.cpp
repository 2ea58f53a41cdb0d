#include "harness/serve/metrics/metrics_collector.hpp"

#include <algorithm>

#include "harness/notify/outcome.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/serve/metrics/drill_samples.hpp"
#include "harness/serve/metrics/metrics_text.hpp"
#include "harness/serve/metrics/observation_file.hpp"

namespace pgrehearse {

bool MetricsCollector::is_wanted(const LedgerRow& row) const {
  if (options_.only_this_host && row.host != options_.host) return false;
  return !options_.scenario || row.scenario == *options_.scenario;
}

void MetricsCollector::add_finished(const LedgerRow& row, MetricSamples& samples) const {
  add_finished_drill(row, samples);
  if (row.host != options_.host || row.directory.empty()) return;
  add_notifications(row, load_outcomes(row.directory), samples);
}

void MetricsCollector::add_drills(Ledger& ledger, MetricSamples& samples) {
  const auto& newest = options_.newest;
  if (newest) {
    add_finished(*newest, samples);
    if (newest->verdict == Verdict::pass) add_pass(*newest, samples);
  }
  for (const auto& row : ledger.newest_finished_of_each_scenario()) {
    const bool is_older = newest && row.scenario == newest->scenario;
    if (is_wanted(row) && !is_older) add_finished(row, samples);
  }
  for (const auto& row : ledger.running()) {
    if (is_wanted(row) && !(newest && row.id == newest->id)) add_running_drill(row, samples);
  }
  const auto passes = ledger.newest_pass_of_each_scenario();
  std::vector<std::string> ids;
  for (const auto& row : passes) {
    ids.push_back(row.id);
    if (is_wanted(row)) add_pass(row, samples);
  }
  if (options_.scenario) return;  // the group of another scenario has the same stanza
  if (!has_coverage_ || ids != passes_of_coverage_) {
    coverage_ = ledger.coverage();
    passes_of_coverage_ = std::move(ids);
    has_coverage_ = true;
  }
  add_coverage(coverage_, samples);
}

MetricSamples MetricsCollector::collect(Ledger& ledger, const std::vector<NextStart>& next_starts) {
  MetricSamples samples;
  add_drills(ledger, samples);
  for (const auto& next : next_starts) {
    samples.push_back({"pgrehearse_drill_next_start_timestamp_seconds",
                       {{"scenario", next.scenario}, {"stanza", printable(next.stanza)}},
                       Seconds(next.at.time_since_epoch()).count()});
  }
  auto observed = options_.scenario ? load_observation(options_.state, *options_.scenario)
                                    : load_observations(options_.state);
  std::ranges::move(observed, std::back_inserter(samples));
  return samples;
}

std::string MetricsCollector::text(Ledger& ledger, const std::vector<NextStart>& next_starts) {
  return metrics_text(collect(ledger, next_starts));
}

}  // namespace pgrehearse
