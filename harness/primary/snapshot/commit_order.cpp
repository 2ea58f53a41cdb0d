#include "harness/primary/snapshot/commit_order.hpp"

#include <algorithm>

namespace pgrehearse {

std::optional<Lsn> find_cut(const TransactionSnapshot& snapshot,
                            std::span<const TransactionMark> commits, Lsn end) {
  std::optional<Lsn> cut;
  for (const auto& commit : commits) {
    if (commit.xid == 0) continue;
    if (!snapshot.sees(commit.xid)) {
      if (!cut) cut = commit.lsn;
    } else if (cut) {
      return {};
    }
  }
  // A transaction whose commit is not in the WAL yet cannot have been seen.
  return cut.value_or(end);
}

std::optional<Lsn> find_replay_cut(Lsn before, Lsn after,
                                   std::span<const TransactionMark> commits) {
  const bool unsure = std::any_of(commits.begin(), commits.end(), [&](const auto& commit) {
    return commit.xid != 0 && commit.lsn >= before && commit.lsn <= after;
  });
  return unsure ? std::nullopt : std::optional(before);
}

}  // namespace pgrehearse
