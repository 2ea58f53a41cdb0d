#include "harness/report/diagnosis.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

Report with_check(Verdict verdict, FindingCode code) {
  Report report;
  report.checks.push_back({.name = "one",
                           .check = "one",
                           .verdict = verdict,
                           .findings = {{.code = code, .object = "thing", .message = "words"}}});
  return report;
}

LikelyCause cause_of_check(Verdict verdict, FindingCode code) {
  return diagnose_checks(with_check(verdict, code), {}).likely_cause;
}

LikelyCause cause_of_error(ErrorKind kind, FindingCode code) {
  return diagnose_error(Error(kind, "words", "hint", code, "thing"), {}, {}, {}).likely_cause;
}

TEST(Diagnosis, ErrorOfStoredDataHasTheCauseOfItsCode) {
  EXPECT_EQ(cause_of_error(ErrorKind::restore, FindingCode::repo_damaged), LikelyCause::backup);
  EXPECT_EQ(cause_of_error(ErrorKind::recovery, FindingCode::wal_missing), LikelyCause::archive);
  EXPECT_EQ(cause_of_error(ErrorKind::repository, FindingCode::repo_stanza), LikelyCause::scenario);
  EXPECT_EQ(cause_of_error(ErrorKind::restore, FindingCode::none), LikelyCause::backup);
}

TEST(Diagnosis, ErrorOfTheEnvironmentIsNeverCausedByTheBackup) {
  const auto environment = ErrorKind::environment;
  EXPECT_EQ(cause_of_error(environment, FindingCode::env_disk_full), LikelyCause::environment);
  EXPECT_EQ(cause_of_error(environment, FindingCode::repo_damaged), LikelyCause::environment);
  EXPECT_EQ(cause_of_error(environment, FindingCode::wal_gap), LikelyCause::environment);
  EXPECT_EQ(cause_of_error(environment, FindingCode::none), LikelyCause::environment);
  EXPECT_EQ(cause_of_error(environment, FindingCode::primary_unreachable), LikelyCause::primary);
  EXPECT_EQ(cause_of_error(environment, FindingCode::repo_stanza), LikelyCause::scenario);
}

TEST(Diagnosis, UsageErrorIsCausedByTheScenarioAndInternalErrorByPgrehearse) {
  EXPECT_EQ(cause_of_error(ErrorKind::usage, FindingCode::wal_gap), LikelyCause::scenario);
  EXPECT_EQ(cause_of_error(ErrorKind::internal, FindingCode::none), LikelyCause::pgrehearse);
}

TEST(Diagnosis, ErrorKeepsItsObject) {
  const Error error(ErrorKind::restore, "words", "hint", FindingCode::repo_damaged, "file");
  EXPECT_EQ(diagnose_error(error, {}, {}, {}).object, "file");
}

TEST(Diagnosis, InconclusiveCheckIsNoEvidenceAgainstTheBackup) {
  EXPECT_EQ(cause_of_check(Verdict::unknown, FindingCode::landing_unproved), LikelyCause::none);
  EXPECT_EQ(cause_of_check(Verdict::unknown, FindingCode::database_unreadable), LikelyCause::none);
  EXPECT_EQ(cause_of_check(Verdict::unknown, FindingCode::rows_uncounted), LikelyCause::primary);
  EXPECT_EQ(cause_of_check(Verdict::fail, FindingCode::rows_differ), LikelyCause::backup);
}

TEST(Diagnosis, ComparisonIsEvidenceAgainstTheBackupOnlyWhereSomethingDiffers) {
  EXPECT_EQ(cause_of_check(Verdict::fail, FindingCode::compare_content), LikelyCause::backup);
  EXPECT_EQ(cause_of_check(Verdict::unknown, FindingCode::compare_not_reached),
            LikelyCause::environment);
}

TEST(Diagnosis, MissingWalIsTheCauseOfMissingRows) {
  for (const auto cause :
       {FindingCode::wal_gap, FindingCode::timeline_history, FindingCode::landing_short}) {
    auto report = with_check(Verdict::fail, FindingCode::rows_too_few);
    report.checks.push_back({.name = "two",
                             .verdict = Verdict::fail,
                             .findings = {{.code = FindingCode::rows_differ, .object = "rows"},
                                          {.code = cause, .object = "segment"}}});
    const auto diagnosis = diagnose_checks(report, {});
    EXPECT_EQ(diagnosis.code, cause);
    EXPECT_EQ(diagnosis.object, "segment");
    EXPECT_EQ(diagnosis.likely_cause, LikelyCause::archive);
    ASSERT_EQ(diagnosis.evidence.size(), 1U);
    EXPECT_EQ(diagnosis.evidence[0], "also: check one failed: words");
  }
}

TEST(Diagnosis, NoteIsNotTheCauseOfAFailure) {
  Report report;
  report.checks.push_back({.name = "landing",
                           .verdict = Verdict::fail,
                           .findings = {{.code = FindingCode::timeline_orphaned_commits},
                                        {.code = FindingCode::wal_gap, .severity = Severity::note},
                                        {.code = FindingCode::landing_short}}});
  EXPECT_EQ(diagnose_checks(report, {}).code, FindingCode::landing_short);
}

TEST(Diagnosis, DamageRanksAboveMissingRowsAndBelowMissingWal) {
  auto report = with_check(Verdict::fail, FindingCode::rows_too_few);
  report.checks.push_back({.name = "pages",
                           .verdict = Verdict::fail,
                           .findings = {{.code = FindingCode::checksums_page}}});
  EXPECT_EQ(diagnose_checks(report, {}).code, FindingCode::checksums_page);
  report.checks.push_back(
      {.name = "wal", .verdict = Verdict::fail, .findings = {{.code = FindingCode::wal_damaged}}});
  EXPECT_EQ(diagnose_checks(report, {}).code, FindingCode::wal_damaged);
  report.checks.push_back(
      {.name = "other", .verdict = Verdict::unknown, .findings = {{.code = FindingCode::wal_gap}}});
  EXPECT_EQ(diagnose_checks(report, {}).code, FindingCode::wal_damaged)
      << "a failed check comes before an inconclusive one";
}

TEST(Diagnosis, CauseIsReportedBeforeItsConsequences) {
  auto report = with_check(Verdict::fail, FindingCode::landing_short);
  report.checks.push_back(
      {.name = "two",
       .verdict = Verdict::fail,
       .findings = {{.code = FindingCode::setting_differs, .object = "max_connections"},
                    {.code = FindingCode::wal_gap, .object = "segment"}}});
  const auto diagnosis = diagnose_checks(report, {});
  EXPECT_EQ(diagnosis.code, FindingCode::wal_gap);
  EXPECT_EQ(diagnosis.object, "segment");
  EXPECT_EQ(diagnosis.evidence, std::vector<std::string>{"also: check one failed: words"});
}

TEST(Diagnosis, ErrorDoesNotHideFailedChecks) {
  const Error error(ErrorKind::restore, "words", "hint", FindingCode::repo_damaged, "file");
  const auto diagnosis =
      diagnose_error(error, with_check(Verdict::fail, FindingCode::wal_gap), {}, {});
  EXPECT_EQ(diagnosis.code, FindingCode::repo_damaged);
  EXPECT_EQ(diagnosis.evidence, std::vector<std::string>{"also: check one failed: words"});
}

}  // namespace
}  // namespace pgrehearse
