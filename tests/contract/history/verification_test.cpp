// Changes of a ledger without pgrehearse, with SQLite and with PostgreSQL.
#include "harness/history/evidence/verification.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/contract/history/ledger_fixture.hpp"
#include "tests/fakes/sample_rows.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LedgerVerificationTest : public LedgerContract {
 protected:
  void SetUp() override {
    LedgerContract::SetUp();
    if (IsSkipped()) return;
    auto ledger = open();
    for (int hour = 1; hour <= 4; ++hour) {
      ASSERT_TRUE(ledger.start(started_row("weekly", hour)));
      if (hour < 4) ledger.finish(finished(hour));
    }
  }
  static LedgerRow finished(int hour) {
    return hour == 2 ? failed_row("weekly", hour) : passed_row("weekly", hour);
  }
  void execute(const std::string& sql) { open_database()->query(sql); }

  std::vector<std::string> problems(
      std::optional<std::pair<std::uint64_t, std::string>> known_entry = {}) {
    auto ledger = open();
    const auto result = verify_ledger(
        ledger, {.host = "another", .state = state_, .known_entry = std::move(known_entry)}, {});
    head_ = result.head;
    std::vector<std::string> texts;
    for (const auto& problem : result.problems) {
      texts.push_back(problem.object + " " + problem.message);
    }
    return texts;
  }
  std::string head_;
};

TEST_P(LedgerVerificationTest, AnUntouchedLedgerHasNoProblem) {
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(head_, testing::StartsWith("7:"));
}

TEST_P(LedgerVerificationTest, AChangedRowIsNamed) {
  const auto id = finished(2).id;
  execute(fmt::format("update drills set verdict = 'pass' where id = '{}'", id));
  EXPECT_THAT(problems(), ElementsAre(testing::AllOf(HasSubstr(id), HasSubstr("was changed"))));
}

TEST_P(LedgerVerificationTest, AChangedEntryIsNamed) {
  execute("update entries set payload = replace(payload, 'fail', 'pass') where sequence = 4");
  EXPECT_THAT(problems(), Contains(HasSubstr("entry 4 (finished")));
}

TEST_P(LedgerVerificationTest, RemovedRowsAndEntriesAreNamed) {
  execute(fmt::format("delete from drills where id = '{}'", finished(2).id));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("the row was removed")));
  execute("delete from entries where sequence = 3");
  EXPECT_THAT(problems(), Contains(HasSubstr("entry 3 was removed")));
}

TEST_P(LedgerVerificationTest, AnInsertedRowIsNamed) {
  execute(
      "insert into drills (id, started, verdict, state, attempt, entry) values "
      "('20261121T000000Z-00000000', '2026-11-21T00:00:00.000000Z', 'pass', 'finished', 1, 2)");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("has no entry in the chain: it was inserted")));
}

TEST_P(LedgerVerificationTest, AKnownEntryShowsThatTheEndWasRemoved) {
  EXPECT_THAT(problems(), IsEmpty());
  const auto hash = head_.substr(2);
  EXPECT_THAT(problems({{7, hash}}), IsEmpty());
  execute("delete from entries where sequence = 7");
  execute(fmt::format("delete from drills where id = '{}'", started_row("weekly", 4).id));
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(problems({{7, hash}}), ElementsAre(HasSubstr("entries at its end were removed")));
}

TEST_P(LedgerVerificationTest, PruningLeavesAChainThatCanBeVerified) {
  auto ledger = open();
  ledger.prune({finished(1), finished(2)},
               {.operator_account = "postgres", .host = "drill1", .at = finished(3).started});
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(ledger.count(), 2U);
  EXPECT_EQ(ledger.find(finished(1).id), std::nullopt);
  execute("update entries set payload = null where sequence = 5");
  EXPECT_THAT(problems(), Contains(HasSubstr("entry 5 has lost its content")));
}

INSTANTIATE_TEST_SUITE_P(Databases, LedgerVerificationTest, testing::Values("sqlite", "postgres"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace pgrehearse
