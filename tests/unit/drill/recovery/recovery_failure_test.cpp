#include "harness/drill/recovery/recovery_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<WalRequest> last_segment_missing{{"000000010000000000000003", 0},
                                                   {"000000010000000000000004", 1}};
const std::vector<WalRequest> last_segment_fetched{{"000000010000000000000003", 0},
                                                   {"00000002.history", 1}};
const std::vector<std::string> not_reached{
    "2026-11-20 03:00:00 UTC [7] LOG:  invalid record length at 0/3000110: wanted 24, got 0",
    "2026-11-20 03:00:00 UTC [7] FATAL:  recovery ended before configured recovery target was "
    "reached"};

TEST(RecoveryFailure, TheArchiveEndsBeforeTheTarget) {
  const auto error = explain_recovery_failure(not_reached, last_segment_missing, "name x");
  EXPECT_EQ(error.code(), FindingCode::target_not_reached);
  EXPECT_EQ(error.object(), "name x");
}

// PostgreSQL does not request the next segment when it cannot read this one to its end.
TEST(RecoveryFailure, ADamagedSegmentIsBeforeTheTarget) {
  const auto error = explain_recovery_failure(not_reached, last_segment_fetched, "name x");
  EXPECT_EQ(error.code(), FindingCode::wal_damaged);
  EXPECT_EQ(error.object(), "000000010000000000000003");
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("invalid record length at 0/3000110"), HasSubstr("name x")));
}

TEST(RecoveryFailure, NamesWhereMinimalWalBegins) {
  const std::vector<std::string> log{
      "2026-11-20 03:00:00 UTC [7] FATAL:  WAL was generated with wal_level=minimal, cannot "
      "continue recovering",
      "2026-11-20 03:00:00 UTC [7] DETAIL:  This happens if you temporarily set wal_level=minimal "
      "on the server.",
      "2026-11-20 03:00:00 UTC [7] CONTEXT:  WAL redo at 0/30001A0 for XLOG/PARAMETER_CHANGE: "
      "max_connections=100"};
  const auto error = explain_recovery_failure(log, last_segment_missing, "latest");
  EXPECT_EQ(error.kind(), ErrorKind::recovery);
  EXPECT_EQ(error.code(), FindingCode::wal_level_minimal);
  EXPECT_EQ(error.object(), "000000010000000000000003");
  EXPECT_THAT(error.what(), HasSubstr("ends at 0/30001A0"));
  EXPECT_THAT(error.hint(), HasSubstr("recover_to: { lsn: 0/30001A0, exclusive: true }"));
}

// A failed copy and a damaged file have the same exit code.
TEST(RecoveryFailure, ASegmentThatCannotBeDecompressedIsDamaged) {
  const std::vector<WalRequest> failed{{"000000010000000000000003", 0},
                                       {"000000010000000000000004", 3}};
  const auto code_of = [&](const std::string& reason) {
    const std::vector<std::string> log{
        "ERROR: [archive-get]: /srv/wals/000000010000000000000004 cannot be " + reason,
        "2026-11-20 03:00:00 UTC [7] FATAL:  could not restore file \"000000010000000000000004\" "
        "from archive: command not executable"};
    return explain_recovery_failure(log, failed, "latest").code();
  };
  EXPECT_EQ(code_of("decompressed: gzip: stdin: invalid compressed data--crc error"),
            FindingCode::wal_damaged);
  EXPECT_EQ(code_of("decompressed: gzip: stdout: No space left on device"),
            FindingCode::env_disk_full);
  EXPECT_EQ(code_of("read: cat: -: Input/output error"), FindingCode::wal_fetch);
}

// The same type of error as for a wrong passphrase.
TEST(RecoveryFailure, ACertificateThatCannotBeVerifiedIsNotABackupFailure) {
  const std::vector<WalRequest> failed{{"000000010000000000000003", 0},
                                       {"000000010000000000000004", 95}};
  const auto kind_when = [&](const std::string& reason) {
    const std::vector<std::string> log{
        "ERROR: [095]: " + reason,
        "2026-11-20 03:00:00 UTC [7] FATAL:  could not restore file \"000000010000000000000004\" "
        "from archive: command not executable"};
    return explain_recovery_failure(log, failed, "latest").kind();
  };
  EXPECT_EQ(kind_when("CryptoError: unable to verify certificate presented by 'store:443': [10] "
                      "certificate has expired"),
            ErrorKind::environment);
  EXPECT_EQ(kind_when("CryptoError: unable to find hostname 'store' in certificate common name or "
                      "subject alternative names"),
            ErrorKind::environment);
  EXPECT_EQ(kind_when("CryptoError: unable to flush"), ErrorKind::repository);
}

}  // namespace
}  // namespace pgrehearse
