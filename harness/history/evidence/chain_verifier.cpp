#include "harness/history/evidence/chain_verifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

std::string name_of(const LedgerEntry& entry) {
  if (entry.drill.empty()) return fmt::format("entry {} ({})", entry.sequence, entry.kind);
  return fmt::format("entry {} ({}, drill {})", entry.sequence, entry.kind, entry.drill);
}

}  // namespace

void ChainVerifier::check_position(const LedgerEntry& entry) {
  if (entry.sequence > last_ + 1) {
    const auto first = last_ + 1;
    const auto last = entry.sequence - 1;
    problems_.push_back(first == last ? LedgerProblem{fmt::format("entry {}", first), "was removed"}
                                      : LedgerProblem{fmt::format("entries {} to {}", first, last),
                                                      "were removed"});
  } else if (entry.previous != last_hash_) {
    problems_.push_back(
        {name_of(entry), entry.sequence == 1
                             ? std::string("is not the beginning of a chain")
                             : fmt::format("does not follow entry {}: one of them was replaced, "
                                           "inserted or moved",
                                           last_)});
  }
}

void ChainVerifier::check_content(const LedgerEntry& entry) {
  if (entry.payload.empty()) {
    without_content_.push_back(entry.sequence);
    return;
  }
  if (hash_of_entry(entry.previous, entry.payload) != entry.hash) {
    problems_.push_back({name_of(entry), "was changed: its hash does not match its content"});
  }
  const auto content = Json::parse(entry.payload, nullptr, false);
  const bool matches =
      content.is_object() && content.value("sequence", std::uint64_t{0}) == entry.sequence &&
      content.value("entry", "") == entry.kind && content.value("id", "") == entry.drill;
  if (!matches) {
    problems_.push_back(
        {name_of(entry), "was moved or changed: its content belongs to another entry"});
  }
  if (entry.kind != "pruned" || !matches) return;
  for (const auto& range : content.value("removed", Json::array())) {
    if (range.is_array() && range.size() == 2 && range[0].is_number_unsigned() &&
        range[1].is_number_unsigned()) {
      recorded_prunings_.emplace_back(range[0].get<std::uint64_t>(), range[1].get<std::uint64_t>());
    }
  }
}

void ChainVerifier::add(const LedgerEntry& entry) {
  ++entries_;
  check_position(entry);
  check_content(entry);
  last_ = entry.sequence;
  last_hash_ = entry.hash;
  if (entry.sequence == watched_) watched_hash_ = entry.hash;
  if (entry.drill.empty() || entry.payload.empty()) return;
  auto& newest = newest_[entry.drill];
  newest = entry;
  newest.payload.clear();
}

std::vector<LedgerProblem> ChainVerifier::problems() const {
  auto all = problems_;
  for (const auto sequence : without_content_) {
    const bool recorded = std::ranges::any_of(recorded_prunings_, [&](const auto& range) {
      return range.first <= sequence && sequence <= range.second;
    });
    if (recorded) continue;
    all.push_back({fmt::format("entry {}", sequence),
                   "has lost its content, and no `history prune` recorded that"});
  }
  return all;
}

}  // namespace pgrehearse
