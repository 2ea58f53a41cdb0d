#include "harness/postgres/transaction_snapshot.hpp"

#include <algorithm>
#include <charconv>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

bool parse(std::string_view text, std::uint64_t& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc{} && end == text.data() + text.size();
}

}  // namespace

bool TransactionSnapshot::sees(std::uint32_t xid) const {
  // The difference of the lower halves, as PostgreSQL compares them: at most 2^31 to either side.
  const auto ahead = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(xmax));
  if (ahead >= 0) return false;
  const auto full = xmax - static_cast<std::uint64_t>(-static_cast<std::int64_t>(ahead));
  return !std::binary_search(running.begin(), running.end(), full);
}

std::optional<TransactionSnapshot> parse_transaction_snapshot(std::string_view text) {
  const auto parts = split(text, ':');
  TransactionSnapshot snapshot;
  if (parts.size() != 3 || !parse(parts[0], snapshot.xmin) || !parse(parts[1], snapshot.xmax)) {
    return {};
  }
  if (parts[2].empty()) return snapshot;
  for (const auto part : split(parts[2], ',')) {
    std::uint64_t xid = 0;
    if (!parse(part, xid)) return {};
    snapshot.running.push_back(xid);
  }
  std::sort(snapshot.running.begin(), snapshot.running.end());
  return snapshot;
}

}  // namespace pgrehearse
