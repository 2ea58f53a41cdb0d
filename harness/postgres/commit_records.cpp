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

std::vector<TransactionMark> parse_commits(std::string_view waldump) {
  std::vector<TransactionMark> commits;
  for (const auto line : lines_of(waldump)) {
    const auto description = line.find(" desc: COMMIT");
    if (description == std::string_view::npos) continue;
    const auto lsn = parse_lsn(between(line, "lsn: ", ","));
    if (!lsn) continue;
    TransactionMark mark{.lsn = *lsn};
    // "COMMIT 2026-11-20 03:00:00.123456 UTC; ..." or "COMMIT_PREPARED 745: 2026-11-20 ...".
    auto words = line.substr(description + 7);
    auto xid = between(line, "tx:", ",");
    if (words.starts_with("COMMIT_PREPARED")) xid = between(words, "COMMIT_PREPARED ", ":");
    std::from_chars(xid.data(), xid.data() + xid.size(), mark.xid);
    words.remove_prefix(words.find(words.starts_with("COMMIT_PREPARED") ? ": " : " ") + 1);
    mark.time = parse_instant(trim(words.substr(0, words.find(';'))));
    commits.push_back(mark);
  }
  return commits;
}

}  // namespace pgrehearse
