// What pg_amcheck could not check: its sessions have an empty search_path, which a function in an
// index expression may need, and it does not name whoever holds a lock.
#pragma once

#include <optional>
#include <string>

#include "harness/drill/check_context.hpp"

namespace pgrehearse {

struct RecheckOptions {
  bool parent_check = false;
  bool rootdescend = false;
};

// Whether pg_amcheck's message says that a function found no object: never damage.
bool lacks_search_path(std::string_view message);

// Checks one index, by the name that pg_amcheck prints, with the database's search_path; if that
// does not help either, without comparing its entries with the rows. Returns nothing if it is
// intact, a note if only its structure was checked, otherwise what is wrong.
std::optional<Finding> recheck_index(const InstanceContext& context, const std::string& database,
                                     const std::string& index, const RecheckOptions& options);

struct PreparedTransaction {
  std::string name;  // as for COMMIT PREPARED
  std::string owner;
  std::string prepared;  // when
};

// The one that holds a lock on a table or on the table of an index.
std::optional<PreparedTransaction> lock_holder(const InstanceContext& context,
                                               const std::string& database,
                                               const std::string& relation);

}  // namespace pgrehearse
