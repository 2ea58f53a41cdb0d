// Compares the tables of a new cluster's member with those of the restored cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/primary/row_count.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

struct ClusterRows {
  std::uint64_t tables = 0;  // compared
  std::uint64_t rows = 0;    // in them
  std::vector<Finding> findings;
};

// A table that was not counted on one side is a finding of severity `unknown`; an unlogged table is
// left out.
ClusterRows compare_cluster_rows(const std::string& member, const RowCounts& restored,
                                 const RowCounts& found);

}  // namespace pgrehearse
