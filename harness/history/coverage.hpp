// What drills of one stanza have proved so far.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

struct ProvedBackup {
  std::uint64_t repository_key = 1;
  std::string label;
  std::string type;
  std::optional<Instant> stopped;
  Instant last_proved;  // start of the newest drill that passed
  std::string last_drill;
  std::uint64_t passes = 0;
};

// Every commit in it was recoverable: from the end of a backup to the landing of a drill.
struct ProvedRange {
  Instant from;
  Instant to;
  Instant last_proved;  // of the newest drill that passed and covers a part of it
};

struct StanzaCoverage {
  std::string stanza;
  std::vector<ProvedBackup> backups;  // newest backup first
  std::vector<ProvedRange> ranges;    // oldest first; they do not overlap
};

// From drills that passed, in any order.
std::vector<StanzaCoverage> coverage_of(const std::vector<LedgerRow>& passes);

}  // namespace pgrehearse
