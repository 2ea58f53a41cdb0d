// The samples of all scenarios, from the ledger and from stored observations. The cost does not
// grow with the number of drills in the ledger, except when a drill has passed since the last call.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/ledger.hpp"
#include "harness/serve/metrics/sample.hpp"

namespace pgrehearse {

// When a drill is due, from the scheduler.
struct NextStart {
  std::string scenario;
  std::string stanza;
  Instant at;
};

class MetricsCollector {
 public:
  struct Options {
    std::filesystem::path state;
    std::string host;             // this one
    bool only_this_host = false;  // leave out scenarios whose newest drill ran elsewhere
    std::optional<std::string> scenario = {};  // only this one
    std::optional<LedgerRow> newest = {};      // a drill that the ledger may not have yet
  };
  explicit MetricsCollector(Options options) : options_(std::move(options)) {}

  [[nodiscard]] MetricSamples collect(Ledger& ledger,
                                      const std::vector<NextStart>& next_starts = {});
  // The same in Prometheus' text format.
  [[nodiscard]] std::string text(Ledger& ledger, const std::vector<NextStart>& next_starts = {});

 private:
  [[nodiscard]] bool is_wanted(const LedgerRow& row) const;
  void add_finished(const LedgerRow& row, MetricSamples& samples) const;
  void add_drills(Ledger& ledger, MetricSamples& samples);

  Options options_;
  // Computed again once a drill has passed.
  std::vector<std::string> passes_of_coverage_;
  std::vector<StanzaCoverage> coverage_;
  bool has_coverage_ = false;
};

}  // namespace pgrehearse
