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

// The archive's commit records that begin in [begin, end), in WAL order; nullopt: WAL up to `end`
// is not archived yet. Throws Error when the archive cannot be read.
using ReadCommits = std::function<std::optional<std::vector<TransactionMark>>(
    Timeline timeline, Lsn begin, Lsn end, std::stop_token stop)>;

// The position up to which recovery must apply records, exclusively, to show what the snapshot
// sees; nullopt: there is none. `commits` are in WAL order and begin before `end`, the WAL position
// read after the snapshot was taken.
std::optional<Lsn> find_cut(const TransactionSnapshot& snapshot,
                            std::span<const TransactionMark> commits, Lsn end);

// The same for a server in recovery, which applies WAL in order. When the snapshot was taken, it
// had applied every record that begins before `before` and none that begins after `after`; nullopt:
// a commit begins between the two, and may or may not be visible. `commits` are in WAL order and
// include all that begin in [before, after].
std::optional<Lsn> find_replay_cut(Lsn before, Lsn after, std::span<const TransactionMark> commits);

}  // namespace pgrehearse
