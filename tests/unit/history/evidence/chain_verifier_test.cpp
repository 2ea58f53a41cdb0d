#include "harness/history/evidence/chain_verifier.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/history/ledger_columns.hpp"
#include "tests/fakes/sample_rows.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t length = 1000;

std::vector<LedgerEntry> chain_of_a_thousand() {
  std::vector<LedgerEntry> chain;
  std::string previous(64, '0');
  for (std::size_t i = 1; i <= length; ++i) {
    auto row = passed_row("weekly", static_cast<int>(i));
    LedgerEntry entry{.sequence = i, .kind = "finished", .drill = row.id, .previous = previous};
    entry.payload = json_line(row, i, entry.kind);
    entry.hash = hash_of_entry(previous, entry.payload);
    previous = entry.hash;
    chain.push_back(std::move(entry));
  }
  return chain;
}

std::vector<std::string> problems_of(const std::vector<LedgerEntry>& chain) {
  ChainVerifier verifier;
  for (const auto& entry : chain) verifier.add(entry);
  std::vector<std::string> texts;
  for (const auto& problem : verifier.problems()) {
    texts.push_back(problem.object + " " + problem.message);
  }
  return texts;
}

class ChainTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { whole_ = chain_of_a_thousand(); }
  inline static std::vector<LedgerEntry> whole_;
  std::vector<LedgerEntry> chain_ = whole_;
};

TEST_F(ChainTest, AnUntouchedChainHasNoProblem) { EXPECT_THAT(problems_of(chain_), IsEmpty()); }

TEST_F(ChainTest, EveryFlippedBitOfAContentIsNamed) {
  for (std::size_t at = 0; at < length; at += 37) {
    auto chain = whole_;
    auto& payload = chain[at].payload;
    payload[at % payload.size()] = static_cast<char>(payload[at % payload.size()] ^ 1);
    EXPECT_THAT(problems_of(chain),
                Contains(testing::AllOf(HasSubstr(fmt::format("entry {} (finished", at + 1)),
                                        HasSubstr("was changed"))));
  }
}

TEST_F(ChainTest, ARemovedEntryIsNamed) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, length / 2, length - 2}) {
    auto chain = whole_;
    chain.erase(chain.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_THAT(problems_of(chain), ElementsAre(fmt::format("entry {} was removed", at + 1)));
  }
}

TEST_F(ChainTest, ARemovedAndRenumberedEntryIsFound) {
  chain_.erase(chain_.begin() + 499);
  for (std::size_t i = 499; i < chain_.size(); ++i) --chain_[i].sequence;
  const auto problems = problems_of(chain_);
  EXPECT_THAT(problems, Contains(HasSubstr("does not follow entry 499")));
  EXPECT_THAT(problems, Contains(HasSubstr("its content belongs to another entry")));
}

TEST_F(ChainTest, AnInsertedEntryIsFoundEvenWithAValidHash) {
  auto inserted = chain_[499];
  auto row = failed_row("weekly", 499);
  inserted.payload = json_line(row, 500, "finished");
  inserted.drill = row.id;
  inserted.hash = hash_of_entry(inserted.previous, inserted.payload);
  chain_.insert(chain_.begin() + 499, inserted);
  for (std::size_t i = 500; i < chain_.size(); ++i) ++chain_[i].sequence;
  EXPECT_THAT(problems_of(chain_), Contains(HasSubstr("entry 501 (finished")));
}

TEST_F(ChainTest, AReplacedEntryIsFoundEvenWithAValidHash) {
  auto row = failed_row("weekly", 500);
  chain_[499].payload = json_line(row, 500, "finished");
  chain_[499].hash = hash_of_entry(chain_[499].previous, chain_[499].payload);
  EXPECT_THAT(problems_of(chain_), Contains(HasSubstr("does not follow entry 500")));
}

TEST_F(ChainTest, ReorderedEntriesAreFound) {
  std::swap(chain_[499], chain_[500]);
  std::swap(chain_[499].sequence, chain_[500].sequence);
  EXPECT_THAT(problems_of(chain_), Contains(HasSubstr("entry 500")));
  EXPECT_THAT(problems_of(chain_), Contains(HasSubstr("entry 501")));
}

TEST_F(ChainTest, ContentIsMissedUnlessAPruningRecordsIt) {
  chain_[9].payload.clear();
  chain_[10].payload.clear();
  EXPECT_THAT(problems_of(chain_), ElementsAre(HasSubstr("entry 10 has lost its content"),
                                               HasSubstr("entry 11 has lost its content")));
  LedgerEntry pruned{.sequence = length + 1,
                     .kind = "pruned",
                     .payload = fmt::format(
                         R"({{"sequence":{},"entry":"pruned","removed":[[10,11]]}})", length + 1),
                     .previous = chain_.back().hash};
  pruned.hash = hash_of_entry(pruned.previous, pruned.payload);
  chain_.push_back(pruned);
  EXPECT_THAT(problems_of(chain_), IsEmpty());
}

}  // namespace
}  // namespace pgrehearse
