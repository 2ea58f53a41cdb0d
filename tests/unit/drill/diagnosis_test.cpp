#include "harness/drill/diagnosis.hpp"

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
  const auto diagnosis = diagnose_error(error, {}, {});
  EXPECT_EQ(diagnosis.blame, "backup");
  EXPECT_EQ(diagnosis.object, "file");
}

TEST(Diagnosis, ACheckThatCouldNotTellDoesNotBlameTheBackup) {
  EXPECT_EQ(diagnose_checks(with_check(Verdict::unknown, "PGR-ROWS-UNCOUNTED"), {}).blame, "none");
  EXPECT_EQ(diagnose_checks(with_check(Verdict::fail, "PGR-ROWS-DIFFER"), {}).blame, "backup");
}

TEST(Diagnosis, TroubleOfTheHostIsNeverTheBackups) {
  const Error error(ErrorKind::environment, "words", "hint", "PGR-ENV-DISK-FULL", "/srv");
  EXPECT_EQ(diagnose_error(error, {}, {}).blame, "environment");
}

}  // namespace
}  // namespace pgrehearse
