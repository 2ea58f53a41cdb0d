// The exact times at the ends of recoverable windows, read from WAL. Reads a bounded number of
// segments.
#pragma once

#include <stop_token>

#include "harness/map/recovery_map.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct EdgeServices {
  BackupRepository& repository;
  Provisioner* provisioner = nullptr;  // nullptr: no sandbox can be created
  SandboxSpec sandbox;                 // run_id set; the major version is filled in
};

// Fills in each window's last record and the time of its last commit, and the newest commit after a
// loss. Without PostgreSQL binaries the bounds stay and a note says so; a segment that is listed
// but cannot be read is noted in `unknown`. Throws only Error(interrupted).
void read_edges(RecoveryMap& map, const EdgeServices& services, const std::stop_token& stop);

}  // namespace pgrehearse
