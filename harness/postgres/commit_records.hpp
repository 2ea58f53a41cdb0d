// Commit records in WAL, as pg_waldump prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

struct TransactionMark {
  std::uint32_t xid = 0;
  Lsn lsn;  // of its commit or abort record
  std::optional<Instant> time;
  bool aborted = false;
};

// Commit records in pg_waldump's output ("rmgr: Transaction ... desc: COMMIT ..."), including
// COMMIT PREPARED, in WAL order. Other lines are ignored.
std::vector<TransactionMark> parse_commits(std::string_view waldump);

// The same with abort records, which recovery targets match, too: of transactions and of
// subtransactions that were rolled back to their savepoint.
std::vector<TransactionMark> parse_transaction_ends(std::string_view waldump);

}  // namespace pgrehearse
