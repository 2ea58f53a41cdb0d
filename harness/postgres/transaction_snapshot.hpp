// Which transactions are visible to a snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pgrehearse {

// The format of pg_current_snapshot() on a server that is not in recovery: transactions below
// `xmax` had ended unless they are in `running`. Subtransactions are not listed; they belong to
// their transaction.
struct TransactionSnapshot {
  std::uint64_t xmin = 0;
  std::uint64_t xmax = 0;
  std::vector<std::uint64_t> running;  // ascending

  // Whether this transaction's changes are visible. WAL has only the lower 32 bits of the XID; the
  // nearest XID to `xmax` is assumed.
  [[nodiscard]] bool sees(std::uint32_t xid) const;
};

// "10:20:10,14,15"; nullopt if malformed.
std::optional<TransactionSnapshot> parse_transaction_snapshot(std::string_view text);

}  // namespace pgrehearse
