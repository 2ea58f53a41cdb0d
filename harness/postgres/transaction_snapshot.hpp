// Which transactions a snapshot sees.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pgrehearse {

// As pg_current_snapshot() prints it on a server that is not in recovery: transactions below `xmax`
// had ended unless they are among those running. Subtransactions are not listed: they count as
// their transaction does.
struct TransactionSnapshot {
  std::uint64_t xmin = 0;
  std::uint64_t xmax = 0;
  std::vector<std::uint64_t> running;  // ascending

  // Whether it sees what this transaction committed. WAL holds only the lower half of the number;
  // the nearest one to `xmax` is meant.
  [[nodiscard]] bool sees(std::uint32_t xid) const;
};

// "10:20:10,14,15"; nullopt if it is none.
std::optional<TransactionSnapshot> parse_transaction_snapshot(std::string_view text);

}  // namespace pgrehearse
