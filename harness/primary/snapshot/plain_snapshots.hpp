// Snapshots with the WAL position that was read next to them. Not exact on a server that is written
// to: a transaction whose commit is in the WAL may still be running for the snapshot.
#pragma once

#include "harness/primary/fingerprint/capture.hpp"

namespace pgrehearse {

// One snapshot a database, held as long as the result. `primary` outlives all of it.
FingerprintCapture::TakeSnapshots plain_snapshots(const Primary& primary);

}  // namespace pgrehearse
