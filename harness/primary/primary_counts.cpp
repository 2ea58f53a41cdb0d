#include "harness/primary/primary_counts.hpp"

#include <utility>

namespace pgrehearse {

namespace {

// One for the lost server, and two more in case the failover takes several attempts.
constexpr int most_attempts = 3;

DatabaseCounts count_database(const Primary& primary, const std::string& database,
                              const TableFilter& wanted, const std::stop_token& stop) {
  DatabaseCounts counts;
  for (int attempt = 1;; ++attempt) {
    try {
      auto connection = primary.connect(database, stop);
      // Count the whole database again: a new primary may lack rows counted so far.
      counts.tables = count_rows(connection, wanted, {}, true);
      return counts;
    } catch (const SqlError& error) {
      // An error with a code means that connecting failed, after waiting.
      if (error.code() == FindingCode::none && is_server_gone(error) && attempt < most_attempts)
        continue;
      counts.error = error.what();
      return counts;
    }
  }
}

}  // namespace

RowCounts count_rows(const Primary& primary, const DatabaseTableFilter& wanted,
                     const std::stop_token& stop) {
  RowCounts counts;
  for (const auto& database : primary.databases(stop)) {
    if (wanted && !wanted(database, {})) continue;
    counts[database] = count_database(
        primary, database,
        [&](std::string_view relation) { return !wanted || wanted(database, relation); }, stop);
  }
  return counts;
}

PrimaryCounts::PrimaryCounts(const Primary& primary, DatabaseTableFilter wanted)
    : primary_(primary), wanted_(std::move(wanted)) {}

PrimaryCounts::~PrimaryCounts() = default;

void PrimaryCounts::start() {
  if (worker_.joinable()) return;
  std::promise<RowCounts> promise;
  counts_ = promise.get_future();
  worker_ = std::jthread([this, promise = std::move(promise)](const std::stop_token& stop) mutable {
    try {
      promise.set_value(count_rows(primary_, wanted_, stop));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  });
}

RowCounts PrimaryCounts::get(const std::stop_token& stop) {
  start();
  const std::stop_callback cancel(stop, [this] { worker_.request_stop(); });
  return counts_.get();
}

}  // namespace pgrehearse
