// Tests the same fault with other tools, with the same repository, options and recovery target as
// the drill, for comparison. Uses none of the harness's checks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/faults/fault_testbed.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// The names of the tests: the tool's own verification, while it takes the backup and afterwards,
// "restore, start, select 1" (until the copy is read-write), and "pg_checksums, pg_amcheck" on that
// copy.
std::vector<std::string> baselines_of(BackupTool tool);

// Name -> reported problem; empty: none. The text of "pgbackrest verify" is evaluated as well as
// its exit code. For laboratories only: an unquarantined copy of production could act like
// production.
std::map<std::string, std::string> run_baselines(const Scenario& scenario,
                                                 const InjectedFault& injected,
                                                 CommandRunner& runner,
                                                 const std::stop_token& stop);

}  // namespace pgrehearse
