// Locks that replay holds for transactions in progress: reading such a relation waits forever while
// replay is paused.
#pragma once

#include <string>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

// Their databases with the number of relations: "2 relations in shop"; empty: none. Catalogs are
// ignored.
std::string relations_locked_by_replay(Connection& connection);

}  // namespace pgrehearse
