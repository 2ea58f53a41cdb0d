// The primary's row counts, taken in a thread of their own so that they overlap with the restore.
#pragma once

#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>

#include "harness/primary/primary.hpp"
#include "harness/primary/row_count.hpp"

namespace pgrehearse {

// Whether a table is counted; asked with an empty relation: whether the database is looked at at
// all.
using DatabaseTableFilter =
    std::function<bool(std::string_view database, std::string_view relation)>;

// Every wanted table of every database. A database that refuses the connection has an error, the
// others have counts. Where the server goes away, the database is counted anew on the one that
// follows it. Throws SqlError(environment) when the primary cannot be reached at all.
RowCounts count_rows(const Primary& primary, const DatabaseTableFilter& wanted,
                     const std::stop_token& stop);

class PrimaryCounts {
 public:
  // The primary outlives this object.
  PrimaryCounts(const Primary& primary, DatabaseTableFilter wanted);
  // Cancels the statement that is running on the primary and waits for the thread.
  ~PrimaryCounts();
  PrimaryCounts(const PrimaryCounts&) = delete;
  PrimaryCounts& operator=(const PrimaryCounts&) = delete;

  // Returns at once; a second call does nothing.
  void start();
  // The counts, waiting for them; starts them where start() was not called. Once. Throws what
  // counting threw, and Error(interrupted) on a stop request.
  RowCounts get(const std::stop_token& stop);

 private:
  const Primary& primary_;
  DatabaseTableFilter wanted_;
  std::future<RowCounts> counts_;
  std::jthread worker_;  // last: joined before the rest goes
};

}  // namespace pgrehearse
