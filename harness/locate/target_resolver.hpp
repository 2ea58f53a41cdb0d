// The WAL positions of several recovery targets, so that one replay can visit them in order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/locate/wal_chunk.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

struct ResolvedTarget {
  RecoveryTarget target;
  // No record that begins there or later is replayed. nullopt: the end of the archive, or not
  // found.
  std::optional<Lsn> stop;
  std::optional<TransactionEnd> last_applied;    // the newest commit before `stop`
  std::optional<TransactionEnd> first_withheld;  // the first commit or abort from `stop` on
};

class TargetResolver {
 public:
  // `consistent`: where the backup becomes consistent, for `immediate`.
  TargetResolver(const std::vector<RecoveryTarget>& targets, Lsn consistent);

  // Positions whose record has to be found by the reader (WalChunkReader::Watch::positions).
  [[nodiscard]] std::vector<Lsn> positions() const;
  // In WAL order. False once nothing more is needed.
  bool take(const WalChunk& chunk);

  // In the order in which recovery reaches them; those without `stop` last.
  [[nodiscard]] std::vector<ResolvedTarget> in_wal_order() const;

 private:
  struct Search {
    ResolvedTarget result;
    bool done = false;
  };
  // Whether the target is the transaction end, and where replay stops for it.
  static std::optional<Lsn> stop_at(const RecoveryTarget& target, const TransactionEnd& end);

  std::vector<Search> searches_;
  std::optional<TransactionEnd> last_commit_;
};

}  // namespace pgrehearse
