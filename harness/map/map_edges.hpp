// The instants at the edges of a recovery map, read from the WAL itself: a bounded number of
// segments, only where something recoverable ends.
#pragma once

#include <stop_token>

#include "harness/map/recovery_map.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct EdgeServices {
  BackupRepository& repository;
  Provisioner& provisioner;
  SandboxSpec sandbox;  // run_id set; the major version is filled in
};

// Fills in each stretch's last record and the time of its last commit, and the newest commit behind
// a loss. Where
// PostgreSQL's programs are missing the bounds stay and a note says so; a segment that is listed
// and cannot be read goes to `unknown`. Throws Error(interrupted) only.
void read_edges(RecoveryMap& map, const EdgeServices& services, const std::stop_token& stop);

}  // namespace pgrehearse
