#include "harness/report/diagnosis.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

Report with_check(Verdict verdict, const std::string& code) {
  Report report;
  report.checks.push_back({.name = "one",
                           .check = "one",
                           .verdict = verdict,
                           .findings = {{.code = code, .object = "thing", .message = "words"}}});
  return report;
}

TEST(Diagnosis, ADamagedBackupFileIsTheBackupsFault) {
  const Error error(ErrorKind::restore, "words", "hint", "PGR-REPO-DAMAGED", "file");
  const auto diagnosis = diagnose_error(error, {}, {}, {});
  EXPECT_EQ(diagnosis.blame, "backup");
  EXPECT_EQ(diagnosis.object, "file");
}

TEST(Diagnosis, ACheckThatCouldNotTellDoesNotBlameTheBackup) {
  EXPECT_EQ(diagnose_checks(with_check(Verdict::unknown, "PGR-ROWS-UNCOUNTED"), {}).blame, "none");
  EXPECT_EQ(diagnose_checks(with_check(Verdict::fail, "PGR-ROWS-DIFFER"), {}).blame, "backup");
}

TEST(Diagnosis, AComparisonBlamesTheBackupOnlyForWhatDiffers) {
  EXPECT_EQ(diagnose_checks(with_check(Verdict::fail, "PGR-COMPARE-CONTENT"), {}).blame, "backup");
  EXPECT_EQ(diagnose_checks(with_check(Verdict::unknown, "PGR-COMPARE-NOT-REACHED"), {}).blame,
            "environment");
}

TEST(Diagnosis, MissingWalIsTheCauseOfMissingRows) {
  for (const std::string cause : {"PGR-WAL-GAP", "PGR-TIMELINE-BRANCH", "PGR-LANDING-SHORT"}) {
    auto report = with_check(Verdict::fail, "PGR-ROWS-TOO-FEW");
    report.checks.push_back({.name = "two",
                             .verdict = Verdict::fail,
                             .findings = {{.code = "PGR-ROWS-DIFFER", .object = "rows"},
                                          {.code = cause, .object = "segment"}}});
    const auto diagnosis = diagnose_checks(report, {});
    EXPECT_EQ(diagnosis.code, cause);
    EXPECT_EQ(diagnosis.object, "segment");
    EXPECT_EQ(diagnosis.blame, "archive");
    ASSERT_EQ(diagnosis.evidence.size(), 1U);
    EXPECT_EQ(diagnosis.evidence[0], "also: check one failed: words");
  }
}

TEST(Diagnosis, DamageRanksAboveMissingRowsAndBelowMissingWal) {
  auto report = with_check(Verdict::fail, "PGR-ROWS-TOO-FEW");
  report.checks.push_back(
      {.name = "pages", .verdict = Verdict::fail, .findings = {{.code = "PGR-CHECKSUMS-PAGE"}}});
  EXPECT_EQ(diagnose_checks(report, {}).code, "PGR-CHECKSUMS-PAGE");
  report.checks.push_back(
      {.name = "wal", .verdict = Verdict::fail, .findings = {{.code = "PGR-WAL-DAMAGED"}}});
  EXPECT_EQ(diagnose_checks(report, {}).code, "PGR-WAL-DAMAGED");
  report.checks.push_back(
      {.name = "other", .verdict = Verdict::unknown, .findings = {{.code = "PGR-WAL-GAP"}}});
  EXPECT_EQ(diagnose_checks(report, {}).code, "PGR-WAL-DAMAGED") << "a failure before a doubt";
}

TEST(Diagnosis, TroubleOfTheHostIsNeverTheBackups) {
  const Error error(ErrorKind::environment, "words", "hint", "PGR-ENV-DISK-FULL", "/srv");
  EXPECT_EQ(diagnose_error(error, {}, {}, {}).blame, "environment");
}

TEST(Diagnosis, TheCauseIsToldBeforeItsSymptoms) {
  auto report = with_check(Verdict::fail, "PGR-LANDING-SHORT");
  report.checks.push_back({.name = "two",
                           .verdict = Verdict::fail,
                           .findings = {{.code = "PGR-NEW", .object = "unheard of"},
                                        {.code = "PGR-WAL-GAP", .object = "segment"}}});
  const auto diagnosis = diagnose_checks(report, {});
  EXPECT_EQ(diagnosis.code, "PGR-WAL-GAP");
  EXPECT_EQ(diagnosis.object, "segment");
  EXPECT_EQ(diagnosis.evidence, std::vector<std::string>{"also: check one failed: words"});
}

TEST(Diagnosis, ACodeOfNoRankIsToldWhereThereIsNoOther) {
  EXPECT_EQ(diagnose_checks(with_check(Verdict::fail, "PGR-NEW"), {}).code, "PGR-NEW");
}

TEST(Diagnosis, AnErrorDoesNotHideWhatChecksFoundBefore) {
  const Error error(ErrorKind::restore, "words", "hint", "PGR-REPO-DAMAGED", "file");
  const auto diagnosis = diagnose_error(error, with_check(Verdict::fail, "PGR-WAL-GAP"), {}, {});
  EXPECT_EQ(diagnosis.code, "PGR-REPO-DAMAGED");
  EXPECT_EQ(diagnosis.evidence, std::vector<std::string>{"also: check one failed: words"});
}

}  // namespace
}  // namespace pgrehearse
