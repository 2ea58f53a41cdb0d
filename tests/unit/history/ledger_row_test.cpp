#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"
#include "harness/history/ledger_columns.hpp"
#include "tests/fakes/sample_rows.hpp"

namespace pgrehearse {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

TEST(LedgerRow, TakesItsResultsFromTheReport) {
  const auto row = passed_row("weekly", 3);
  EXPECT_EQ(row.state, DrillState::finished);
  EXPECT_EQ(row.verdict, Verdict::pass);
  EXPECT_EQ(row.stanza, "orders");
  EXPECT_EQ(row.backup_label, "20261119-020000F_20261120-020000I");
  EXPECT_EQ(row.rto, milliseconds(265270));
  EXPECT_EQ(row.rto_objective, milliseconds(1800000));
  EXPECT_EQ(row.restore_time, milliseconds(201800));
  EXPECT_EQ(row.restore_bytes, 4939212390);
  EXPECT_EQ(row.recovery_time, milliseconds(63470));
  EXPECT_EQ(row.replayed_bytes, 0xD4000A8U - 0x9000028U);
  EXPECT_EQ(row.landing_lsn, "0/D4000A8");
  EXPECT_EQ(row.comparison, "exact");
}

TEST(LedgerRow, AFailureHasCauseCodeAndFindings) {
  const auto row = failed_row("weekly", 3);
  EXPECT_EQ(row.verdict, Verdict::fail);
  EXPECT_NE(row.likely_cause, LikelyCause::none);
  EXPECT_THAT(row.finding_code, testing::StartsWith("PGR-"));
  EXPECT_THAT(row.findings, Not(testing::IsEmpty()));
  EXPECT_THAT(row.diagnosis, Not(HasSubstr("\n")));
}

TEST(LedgerRow, SurvivesTheColumns) {
  for (const auto& row : {started_row("weekly", 3), passed_row("weekly", 3), failed_row("w", 4)}) {
    const auto fields = fields_of(row);
    ASSERT_EQ(fields.size(), ledger_columns().size());
    EXPECT_EQ(row_of(fields), row);
  }
}

TEST(LedgerRow, AnInvalidColumnIsAnErrorThatNamesIt) {
  auto fields = fields_of(passed_row("weekly", 3));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (ledger_columns()[i].name == "verdict") fields[i] = "maybe";
  }
  try {
    row_of(fields);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("verdict has the invalid value 'maybe'"));
  }
}

TEST(LedgerRow, TheEntryOfTheChainIsOneLineWithoutNulls) {
  const auto line = json_line(started_row("weekly", 3), 7, "started");
  EXPECT_THAT(line, testing::StartsWith(R"({"sequence":7,"entry":"started","id":"20261120T03)"));
  EXPECT_THAT(line, HasSubstr(R"("attempt":1,"state":"running","verdict":"unknown")"));
  EXPECT_THAT(line, Not(HasSubstr("null")));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(json_line(passed_row("weekly", 3), 8, "finished"),
              HasSubstr(R"({"name":"restore","ms":201800,"bytes":4939212390})"));
}

}  // namespace
}  // namespace pgrehearse
