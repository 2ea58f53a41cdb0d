// A copy of the stopped, restored data directory, as the data of a new cluster's first member.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "checks/patroni/new_cluster.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Copies to `cluster.restored` and the first member's tablespaces; returns the names of the
// tablespaces' directories. Leaves room for the second member, or throws Error(environment) with
// the code env_disk_full; Error(environment) also when a file cannot be copied.
std::vector<std::string> copy_restored(Sandbox& sandbox, const NewCluster& cluster,
                                       const std::stop_token& stop);

// Removes the settings of roles and databases that apply to Patroni's sessions: libraries that are
// not installed here, a search_path to functions of other owners. `settings` is a member's
// postgresql.conf. Throws Error(environment).
void reset_session_settings(Sandbox& sandbox, const NewCluster& cluster,
                            const std::stop_token& stop);

}  // namespace pgrehearse
