// MetricSamples of drills, from rows of the ledger.
#pragma once

#include <span>

#include "harness/history/coverage.hpp"
#include "harness/history/ledger_row.hpp"
#include "harness/notify/outcome.hpp"
#include "harness/serve/metrics/sample.hpp"

namespace pgrehearse {

// Of the newest finished drill of a scenario.
void add_finished_drill(const LedgerRow& row, MetricSamples& samples);
// Of its newest pass.
void add_pass(const LedgerRow& row, MetricSamples& samples);
// Of a drill that is running.
void add_running_drill(const LedgerRow& row, MetricSamples& samples);
// Of the notifications about the newest finished drill.
void add_notifications(const LedgerRow& row, std::span<const Outcome> outcomes,
                       MetricSamples& samples);
void add_coverage(std::span<const StanzaCoverage> coverage, MetricSamples& samples);

}  // namespace pgrehearse
