#include "harness/primary/primary_counts.hpp"

#include <utility>

namespace pgrehearse {

RowCounts count_rows(const Primary& primary, const DatabaseTableFilter& wanted,
                     const std::stop_token& stop) {
  RowCounts counts;
  for (const auto& database : primary.databases(stop)) {
    if (wanted && !wanted(database, {})) continue;
    auto& here = counts[database];
    try {
      auto connection = primary.connect(database, stop);
      here.tables = count_rows(
          connection,
          [&](std::string_view relation) { return !wanted || wanted(database, relation); }, {});
    } catch (const SqlError& error) {
      here.error = error.what();
    }
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
