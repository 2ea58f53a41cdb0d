// Whether a snapshot falls between two commits of the WAL: only then is there a position at which a
// recovered copy shows exactly what the snapshot sees.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "harness/postgres/commit_records.hpp"
#include "harness/postgres/transaction_snapshot.hpp"

namespace pgrehearse {

// Commit records that begin in [begin, end), in WAL order, as the archive has them; nullopt: the
// archive does not reach that far yet. Throws Error when it cannot be read.
using ReadCommits = std::function<std::optional<std::vector<TransactionMark>>(
    Timeline timeline, Lsn begin, Lsn end, std::stop_token stop)>;

// Recovery that applies every record that begins before this position, and none from it on, shows
// what the snapshot sees; nullopt: there is no such position. `commits` are in WAL order and begin
// before `end`, a position that the WAL had reached when the snapshot had been taken.
std::optional<Lsn> find_cut(const TransactionSnapshot& snapshot,
                            std::span<const TransactionMark> commits, Lsn end);

// The same for a snapshot of a server in recovery, which applies the WAL in order. It had applied
// every record that begins before `before` when the snapshot was taken, and none that begins behind
// `after`; nullopt: a commit begins between the two, and it is not known on which side it fell.
// `commits` are in WAL order and hold those that begin in [before, after].
std::optional<Lsn> find_replay_cut(Lsn before, Lsn after, std::span<const TransactionMark> commits);

}  // namespace pgrehearse
