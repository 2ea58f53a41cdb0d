// Runs a row of the check table by its name on a bench.
#pragma once

#include <algorithm>
#include <stdexcept>

#include "checks/table.hpp"
#include "harness/report/finding_codes.hpp"
#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {

inline const CheckDescription& check_named(std::string_view name) {
  for (const auto& row : check_table()) {
    if (row.name == name) return row;
  }
  throw std::runtime_error("no such check: " + std::string(name));
}

inline CheckOutcome run_check(std::string_view name, CheckBench& bench,
                              const Settings& settings = {}) {
  const auto& row = check_named(name);
  auto outcome = bench.run(row, settings);
  for (const auto& finding : outcome.findings) {
    // The reference and the documentation list only the codes of the table.
    if (std::ranges::count(row.finds, finding.code) == 0) {
      throw std::runtime_error(std::string(name) + " does not announce " +
                               std::string(text_of(finding.code)));
    }
  }
  if (!verdict_agrees_with_findings(outcome)) {
    throw std::runtime_error(
        fmt::format("{} gives the verdict {}, but its findings have other severities", name,
                    name_of(outcome.verdict)));
  }
  return outcome;
}

}  // namespace pgrehearse
