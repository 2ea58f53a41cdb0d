// The state of sequences.
#pragma once

#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// Every logged sequence of the database with its current state (sequences ignore snapshots) in
// `before`, ordered by name in byte order. A sequence that cannot be read has an error.
std::vector<SequenceState> read_sequences(Connection& connection);

// The states of `later` become the `after` of those in `earlier`; a sequence in only one of them
// has one reading.
std::vector<SequenceState> merge_readings(std::vector<SequenceState> earlier,
                                          std::vector<SequenceState> later);

}  // namespace pgrehearse
