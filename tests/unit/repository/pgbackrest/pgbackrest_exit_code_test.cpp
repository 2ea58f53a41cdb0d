#include "harness/repository/pgbackrest/pgbackrest_exit_code.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/repository/pgbackrest/pgbackrest_message.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

CommandResult failed(int code, std::string output) {
  return {.exit_code = code, .output = std::move(output)};
}

Error restore_error(int code, std::string output) {
  return error_of(failed(code, std::move(output)), "restore of backup X", ErrorKind::restore);
}

TEST(PgBackRestExitCode, TableIsSortedUniqueAndComplete) {
  const auto table = pgbackrest_exit_codes();
  EXPECT_TRUE(std::ranges::is_sorted(table, std::less<>(), &ExitCodeMeaning::code));
  EXPECT_EQ(std::ranges::adjacent_find(table, std::equal_to<>(), &ExitCodeMeaning::code),
            table.end());
  for (const auto& row : table) {
    EXPECT_NE(row.finding, FindingCode::none) << row.code;
    EXPECT_FALSE(row.meaning.empty() || row.advice.empty()) << row.code;
    EXPECT_TRUE(row.kind == ErrorKind::repository || row.kind == ErrorKind::environment)
        << row.code;
  }
  EXPECT_EQ(find_exit_code(50)->name, "lock-acquire");
  EXPECT_EQ(find_exit_code(1), nullptr);
  EXPECT_EQ(find_error_type("HostConnectError")->code, 49);
  EXPECT_EQ(find_error_type("NoSuchError"), nullptr);
}

TEST(PgBackRestExitCode, DamageHasTheCauseBackup) {
  for (const int code : {26, 28, 29, 42, 44, 55, 58, 75, 95, 103}) {
    EXPECT_EQ(restore_error(code, "").kind(), ErrorKind::restore) << code;
  }
  EXPECT_EQ(error_of(failed(26, ""), "listing", ErrorKind::repository).kind(),
            ErrorKind::repository);
}

TEST(PgBackRestExitCode, EnvironmentFailuresDoNotHaveTheCauseBackup) {
  for (const int code : {27, 31, 32, 37, 38, 40, 47, 49, 50, 64, 72, 82, 101, 105}) {
    EXPECT_EQ(restore_error(code, "").kind(), ErrorKind::environment) << code;
  }
}

TEST(PgBackRestExitCode, QuotesTheToolAndNamesTheFile) {
  const auto error =
      restore_error(55,
                    "P02 DETAIL: restore file /s/data/base/1/13394 (0B, 94.73%)\n"
                    "P00  ERROR: [055]: raised from local-1 protocol: unable to open missing file "
                    "'/repo/backup/orders/20261121-011909F/pg_data/base/5/16385.lz4' for read\n"
                    "            [FileMissingError] on retry after 0ms\n"
                    "            [FileMissingError] on retry after 15000ms\n"
                    "P00   INFO: restore command end: aborted with exception [055]\n");
  EXPECT_STREQ(
      error.what(),
      "restore of backup X failed: pgBackRest reports [055]: raised from local-1 protocol: "
      "unable to open missing file "
      "'/repo/backup/orders/20261121-011909F/pg_data/base/5/16385.lz4' for read");
  EXPECT_EQ(error.object(), "/repo/backup/orders/20261121-011909F/pg_data/base/5/16385.lz4");
  EXPECT_EQ(error.code(), FindingCode::repo_file_missing);
  EXPECT_THAT(error.hint(), HasSubstr("verify"));
}

TEST(PgBackRestExitCode, NamesTheSegmentThatArchiveGetCannotRead) {
  const auto error = restore_error(
      42,
      "ERROR: [042]: raised from local-2 protocol: unable to get 000000010000000000000009:\n"
      "       repo1: 15-1/0000000100000000/000000010000000000000009-1ce7bd.lz4 [FormatError] lz4 "
      "error: [-18] ERROR_contentChecksum_invalid\n"
      "       [FileReadError] on retry after 0ms\n");
  EXPECT_EQ(error.object(), "15-1/0000000100000000/000000010000000000000009-1ce7bd.lz4");
  EXPECT_THAT(error.what(), HasSubstr("000000010000000000000009: repo1: 15-1/"));
}

TEST(PgBackRestExitCode, PermissionAndSpaceErrorsNeverHaveTheCauseBackup) {
  const auto denied = restore_error(
      41,
      "P00  ERROR: [041]: raised from local-1 protocol: unable to open file "
      "'/repo/backup/orders/X/pg_data/base/5/16385.lz4' for read: [13] Permission denied\n");
  EXPECT_EQ(denied.kind(), ErrorKind::environment);
  EXPECT_EQ(denied.code(), FindingCode::env_permission);
  // 2.45 does not even say that no space is left.
  const auto full = restore_error(
      64,
      "P00  ERROR: [064]: raised from local-1 protocol: unable to write '/s/data/base/4/2609'\n");
  EXPECT_EQ(full.kind(), ErrorKind::environment);
  EXPECT_EQ(full.code(), FindingCode::env_disk_full);
  EXPECT_EQ(full.object(), "/s/data/base/4/2609");
  EXPECT_EQ(restore_error(42, "ERROR: [042]: x: [28] No space left on device\n").code(),
            FindingCode::env_disk_full);
}

TEST(PgBackRestExitCode, GenericCodeIsClassifiedByItsMessage) {
  const std::string unreadable =
      "WARN: repo1: [FileOpenError] unable to load info file '/repo/backup/orders/backup.info' or "
      "'/repo/backup/orders/backup.info.copy':\n"
      "      FileOpenError: unable to open file '/repo/backup/orders/backup.info' for read: [13] "
      "Permission denied\n"
      "ERROR: [075]: no backup set found to restore\n";
  EXPECT_EQ(restore_error(75, unreadable).kind(), ErrorKind::environment);
  const auto host = restore_error(
      103, "ERROR: [103]: unable to find a valid repository\n       repo1: [HostConnectError] x\n");
  EXPECT_EQ(host.kind(), ErrorKind::environment);
  EXPECT_EQ(host.code(), FindingCode::env_host);
  const auto gone = restore_error(
      103,
      "ERROR: [103]: unable to find a valid repository\n       repo1: [FileMissingError] unable to "
      "load info file '/repo/archive/orders/archive.info' or '/repo/archive/orders/x':\n");
  EXPECT_EQ(gone.kind(), ErrorKind::restore);
  EXPECT_EQ(gone.object(), "/repo/archive/orders/archive.info");
}

TEST(PgBackRestExitCode, WrongPassphraseIsRecognizedAndItsOutputShortened) {
  const auto error = error_of_status(
      "[FormatError] unable to load info file '/repo/backup/orders/backup.info':\nFormatError: "
      "key/value found outside of section at line 1: \xfeI[#X2\xce\x02\xf7n\nHINT: has a stanza",
      "reading stanza 'orders'");
  EXPECT_EQ(error.kind(), ErrorKind::repository);
  EXPECT_EQ(error.code(), FindingCode::repo_cipher);
  EXPECT_THAT(error.what(), testing::EndsWith("at line 1: ..."));
  EXPECT_THAT(error.hint(), HasSubstr("repo-cipher-pass"));
}

// One wrong passphrase in 64: the padding of one copy happens to be valid.
TEST(PgBackRestExitCode, WrongPassphraseIsRecognizedWhenOnlyOneCopyCannotBeDecrypted) {
  const auto error = error_of_status(
      "[FileOpenError] unable to load info file '/repo/backup/orders/backup.info' or "
      "'/repo/backup/orders/backup.info.copy':\nFormatError: invalid JSON at line 1\nCryptoError: "
      "unable to flush\nHINT: is or was the repo encrypted?",
      "reading stanza 'orders'");
  EXPECT_EQ(error.code(), FindingCode::repo_cipher);
  EXPECT_THAT(error.hint(), HasSubstr("repo-cipher-pass"));
}

// The first two are what pgBackRest 2.44 prints to a store with such a certificate.
TEST(PgBackRestExitCode, ACertificateThatCannotBeVerifiedIsNotABackupFailure) {
  for (const auto* reason : {"unable to verify certificate presented by 'localhost:44481': [10] "
                             "certificate has expired",
                             "unable to verify certificate presented by 'localhost:39247': [20] "
                             "unable to get local issuer certificate",
                             "unable to find hostname 'store' in certificate common name or "
                             "subject alternative names"}) {
    const auto error =
        error_of_status(fmt::format("[CryptoError] {}", reason), "reading stanza 'orders'");
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_EQ(error.code(), FindingCode::env_host);
    EXPECT_THAT(error.hint(), HasSubstr("repo-storage-ca-file"));
  }
}

TEST(PgBackRestExitCode, UnreachableHostIsNotABackupFailure) {
  const auto error = error_of_status(
      "[UnknownError] remote-0 process on 'db' terminated unexpectedly [255]: ssh: Could not "
      "resolve "
      "hostname db",
      "reading stanza 'orders'");
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.code(), FindingCode::env_host);
  EXPECT_EQ(error_of_status("[HostConnectError] unable to get address", "x").kind(),
            ErrorKind::environment);
  EXPECT_EQ(error_of_status("[ChecksumError] unable to load", "x").kind(), ErrorKind::repository);
}

TEST(PgBackRestExitCode, StalledConnectionIsNotADamagedFile) {
  const CommandResult result{
      .exit_code = 42,
      .error_output =
          "ERROR: [042]: raised from local-1 protocol: timeout after 5000ms waiting for "
          "read from 'localhost:9000'\n"};
  const auto error = error_of(result, "restore", ErrorKind::restore);
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.code(), FindingCode::env_host);
}

TEST(PgBackRestExitCode, DeadlineSignalAndInterruptionAreDistinguished) {
  CommandResult result{.exit_code = -1, .timed_out = true, .duration = std::chrono::minutes(2)};
  auto error = error_of(result, "listing", ErrorKind::repository);
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.code(), FindingCode::env_timeout);
  EXPECT_EQ(error_of({.cancelled = true}, "x", ErrorKind::restore).kind(), ErrorKind::interrupted);
  error = error_of({.signal = 9}, "x", ErrorKind::restore);
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), HasSubstr("signal 9"));
  EXPECT_THAT(error_of({.exit_code = 77}, "x", ErrorKind::restore).what(),
              HasSubstr("exit code 77"));
}

TEST(PgBackRestMessage, SeparatesCauseDetailsWarningsAndHints) {
  const auto message = parse_tool_message(
      "2026-11-21 01:20:23.353 P00   WARN: repo1: [FormatError] bad\n"
      "                                    FormatError: worse\n"
      "2026-11-21 01:20:23.353 P00  ERROR: [031]: option 'x' not valid\n"
      "                                    HINT: see the manual\n"
      "2026-11-21 01:20:23.353 P00   INFO: restore command end\n"
      "                                    not part of it\n");
  EXPECT_EQ(message.code, 31);
  EXPECT_EQ(message.text, "[031]: option 'x' not valid");
  EXPECT_THAT(message.warnings, ElementsAre("repo1: [FormatError] bad", "FormatError: worse"));
  EXPECT_THAT(message.hints, ElementsAre("see the manual"));
  EXPECT_TRUE(message.details.empty());
  EXPECT_EQ(message.file, "");
}

TEST(PgBackRestMessage, ReplaceUnreadableKeepsUtf8AndReplacesTheRest) {
  EXPECT_EQ(replace_unreadable("caf\xc3\xa9 \x01 \xff\xc3"), "caf\xc3\xa9 ? ??");
  EXPECT_EQ(replace_unreadable("\xed\xa0\x80"), "???");  // a surrogate
  EXPECT_EQ(excerpt("a\nb"), "a b");
  EXPECT_EQ(excerpt("abcdef", 3), "abc ...");
  EXPECT_EQ(excerpt("ab\xc3\xa9", 3), "ab ...");
}

}  // namespace
}  // namespace pgrehearse
