// All stanzas at a glance as JSON of the API: last verdict, age of the last proof, trends, coverage
// of the backups, next drill, and how long a restore would take.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/coverage.hpp"
#include "harness/history/ledger_row.hpp"
#include "harness/serve/drill_control.hpp"

namespace pgrehearse {

struct FleetFacts {
  Instant now;
  std::vector<TrendPoint> points;      // finished drills, oldest first
  std::vector<LedgerRow> newest;       // of each scenario, finished
  std::vector<LedgerRow> newest_pass;  // of each scenario
  std::vector<LedgerRow> running;
  std::vector<StanzaCoverage> coverage;
  std::map<std::string, std::vector<std::string>> backups;  // stanza -> labels in the repository
  std::optional<SchedulerSnapshot> scheduler;               // absent: only the ledger is served
};

// Stanzas whose recovery was never proved come first, then those with problems.
nlohmann::ordered_json fleet_json(const FleetFacts& facts);

// One of its stanzas; null if there is none with this name.
nlohmann::ordered_json stanza_json(const FleetFacts& facts, const std::string& stanza);

}  // namespace pgrehearse
