// The primary's row counts, taken in a separate thread during the restore.
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

// Whether to count a table; with an empty relation: whether to count anything in the database.
using DatabaseTableFilter =
    std::function<bool(std::string_view database, std::string_view relation)>;

// Counts every wanted table of every database. A database that rejects the connection has an error.
// If the connection is lost, the database is counted again on the new primary. Throws
// SqlError(environment) when the primary cannot be reached at all.
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
  // Waits for the counts; calls start() if necessary. May be called once. Throws the errors of
  // count_rows(), and Error(interrupted) on a stop request.
  RowCounts get(const std::stop_token& stop);

 private:
  const Primary& primary_;
  DatabaseTableFilter wanted_;
  std::future<RowCounts> counts_;
  std::jthread worker_;  // last: joined before the other members are destroyed
};

}  // namespace pgrehearse
