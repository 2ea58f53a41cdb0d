#include "harness/postgres/commit_records.hpp"

#include <charconv>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// The text between `begin` and the next of `ends` after it.
std::string_view between(std::string_view line, std::string_view begin, std::string_view ends) {
  const auto at = line.find(begin);
  if (at == std::string_view::npos) return {};
  const auto rest = line.substr(at + begin.size());
  return trim(rest.substr(0, rest.find_first_of(ends)));
}

}  // namespace

std::vector<TransactionMark> parse_transaction_ends(std::string_view waldump) {
  constexpr std::string_view label = " desc: ";
  std::vector<TransactionMark> ends;
  for (const auto line : lines_of(waldump)) {
    const auto description = line.find(label);
    if (description == std::string_view::npos) continue;
    // "COMMIT 2026-11-20 03:00:00.123456 UTC; ..." or "COMMIT_PREPARED 745: 2026-11-20 ...".
    auto words = line.substr(description + label.size());
    const bool aborted = words.starts_with("ABORT");
    if (!aborted && !words.starts_with("COMMIT")) continue;
    const auto lsn = parse_lsn(between(line, "lsn: ", ","));
    if (!lsn) continue;
    TransactionMark mark{.lsn = *lsn, .aborted = aborted};
    const bool prepared = words.substr(0, words.find(' ')).ends_with("_PREPARED");
    const auto xid = prepared ? between(words, "_PREPARED ", ":") : between(line, "tx:", ",");
    std::from_chars(xid.data(), xid.data() + xid.size(), mark.xid);
    words.remove_prefix(words.find(prepared ? ": " : " ") + 1);
    mark.time = parse_instant(trim(words.substr(0, words.find(';'))));
    ends.push_back(mark);
  }
  return ends;
}

std::vector<TransactionMark> parse_commits(std::string_view waldump) {
  auto marks = parse_transaction_ends(waldump);
  std::erase_if(marks, [](const auto& mark) { return mark.aborted; });
  return marks;
}

}  // namespace pgrehearse
