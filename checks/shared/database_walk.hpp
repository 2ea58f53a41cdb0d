// Asking each database of the instance in turn, and the verdict that comes of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/drill/check.hpp"

namespace pgrehearse {

struct DatabaseWalk {
  std::size_t looked_at = 0;
  std::vector<Finding> not_looked_at;  // a database that could not be asked, and why
};

// Calls `look` with a connection to each database, one after the other, and reports progress. A
// database that refuses the connection or a statement does not keep the others from being asked.
DatabaseWalk walk_databases(
    const InstanceContext& context,
    const std::function<void(const std::string& database, Connection& connection)>& look);

// A database that could not be read, and why: with the code of the error if it has one.
Finding unreadable_database(const std::string& database, const SqlError& error);

// The verdict of the findings' severities; unknown when a database, or all, could not be asked.
CheckOutcome outcome_of(std::vector<Finding> findings, const DatabaseWalk& walk,
                        std::string summary);

// "1 table", "2 tables"

}  // namespace pgrehearse
