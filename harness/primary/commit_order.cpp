#include "harness/primary/commit_order.hpp"

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

}  // namespace pgrehearse
