// Compares visibility maps with the rows of their tables.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "checks/shared/finding_list.hpp"
#include "harness/drill/check.hpp"

namespace pgrehearse {

struct VisibilityRules {
  std::function<bool(const std::string& relation)> wanted;  // schema and name, quoted for SQL
  std::chrono::steady_clock::time_point deadline;
};

// Needs a promoted instance. The extension pg_visibility is created in a transaction that is rolled
// back. Returns the number of relations examined. Throws SqlError.
std::uint64_t check_visibility_maps(const std::string& database, Connection& sql,
                                    const VisibilityRules& rules, FindingList& findings);

}  // namespace pgrehearse
