// What other ways to test a backup say to the same fault, asked in good faith: each gets the same
// repository, options and recovery target as the drill. Nothing of the harness's judgement is here.
#pragma once

#include <map>
#include <string>

#include "harness/faults/fault_testbed.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// Name -> its complaint; empty text: content. By name: "pgbackrest verify" (its text is read, which
// is more than its exit code tells), "restore, start, select 1" (until the copy is read-write), and
// "pg_checksums, pg_amcheck" on the copy of the one before. For laboratories only: a plain restore
// of production would act like production.
std::map<std::string, std::string> ask_peers(const Scenario& scenario, const InjectedFault& planted,
                                             CommandRunner& runner, const std::stop_token& stop);

}  // namespace pgrehearse
