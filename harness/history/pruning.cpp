#include "harness/history/pruning.hpp"

#include <map>

namespace pgrehearse {

std::vector<LedgerRow> prunable(const std::vector<LedgerRow>& rows, const PruningRule& rule) {
  struct Seen {
    std::size_t drills = 0;
    bool pass = false;
  };
  std::map<std::string, Seen> scenarios;
  std::vector<LedgerRow> removed;
  for (const auto& row : rows) {
    auto& seen = scenarios[row.scenario];
    const auto position = seen.drills++;
    const bool newest_pass = row.verdict == Verdict::pass && !seen.pass;
    seen.pass = seen.pass || newest_pass;
    const bool old = !rule.before || row.started < *rule.before;
    const bool surplus = position > 0 && position >= rule.keep.value_or(1);
    if (old && surplus && !newest_pass && row.state != DrillState::running) removed.push_back(row);
  }
  return removed;
}

}  // namespace pgrehearse
