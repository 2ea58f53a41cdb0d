// The statements that look rows up through one index.
#pragma once

#include <string>
#include <vector>

#include "checks/index_probe/probe_catalog.hpp"

namespace pgrehearse {

// Each takes an array of row positions (tid[]) and returns one row: how many of them were looked
// up, how many were not found, and the positions of a few of those. A row is found when the index
// returns its own position for its own value.
std::vector<std::string> lookup_statements(const ProbeIndex& index);

// Whether the plan (EXPLAIN, FORMAT JSON) reads the rows by position and looks each of them up
// through the index and nothing else.
bool plan_uses(const std::string& plan, const ProbeIndex& index);

}  // namespace pgrehearse
