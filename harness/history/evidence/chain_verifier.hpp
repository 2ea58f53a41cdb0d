// Verifies the chain of entries of a ledger, entry by entry. Needs nothing but the entries.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/history/ledger.hpp"

namespace pgrehearse {

struct LedgerProblem {
  std::string object;   // "entry 17 (finished, drill 20261120T030000Z-1a2b3c4d)"
  std::string message;  // "was changed"
};

class ChainVerifier {
 public:
  // In the order of the chain.
  void add(const LedgerEntry& entry);
  // Once all entries were added.
  [[nodiscard]] std::vector<LedgerProblem> problems() const;

  [[nodiscard]] std::uint64_t entries() const { return entries_; }
  // Without content, as entries of the kind `pruned` record.
  [[nodiscard]] std::uint64_t pruned() const { return without_content_.size(); }
  [[nodiscard]] std::uint64_t head_sequence() const { return last_; }
  [[nodiscard]] const std::string& head_hash() const { return last_hash_; }
  // The newest entry of each drill, without its payload.
  [[nodiscard]] const std::map<std::string, LedgerEntry>& newest() const { return newest_; }
  // The hash of entry `sequence`; empty if there is none. Only of `watched` (see below).
  void watch(std::uint64_t sequence) { watched_ = sequence; }
  [[nodiscard]] const std::string& watched_hash() const { return watched_hash_; }

 private:
  void check_position(const LedgerEntry& entry);
  void check_content(const LedgerEntry& entry);

  std::uint64_t entries_ = 0;
  std::uint64_t last_ = 0;
  std::string last_hash_ = std::string(64, '0');
  std::vector<std::pair<std::uint64_t, std::uint64_t>> recorded_prunings_;  // first, last sequence
  std::vector<std::uint64_t> without_content_;
  std::map<std::string, LedgerEntry> newest_;
  std::vector<LedgerProblem> problems_;
  std::uint64_t watched_ = 0;
  std::string watched_hash_;
};

}  // namespace pgrehearse
