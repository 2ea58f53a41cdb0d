// Which drills `history prune` removes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

struct PruningRule {
  std::optional<Instant> before;    // drills that started earlier
  std::optional<std::size_t> keep;  // but not the newest ones of a scenario
};

// Of `rows`, newest first. Never the newest drill of a scenario, nor its newest pass, nor a drill
// that runs.
std::vector<LedgerRow> prunable(const std::vector<LedgerRow>& rows, const PruningRule& rule);

}  // namespace pgrehearse
