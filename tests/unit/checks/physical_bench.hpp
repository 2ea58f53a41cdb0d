// Runs a row of the check table by its name on a bench.
#pragma once

#include <stdexcept>

#include "checks/table.hpp"
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
    if (row.finds.find(finding.code) == std::string_view::npos) {
      throw std::runtime_error(std::string(name) + " does not announce " + finding.code);
    }
  }
  return outcome;
}

}  // namespace pgrehearse
