#include "harness/repository/pgbackrest/pgbackrest_verification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// All recorded from 2.45 with --output=text --verbose --log-level-console=detail; exit code 0 each.

constexpr char sound[] =
    R"(P00   INFO: verify command begin 2.45: --config=/pgbackrest.conf
P00 DETAIL: archiveId: 15-1, wal start: 000000010000000000000001, wal stop: 00000001000000000000000B
P00   INFO: stanza: orders
            status: ok
              archiveId: 15-1, total WAL checked: 11, total valid WAL: 11
                missing: 0, checksum invalid: 0, size invalid: 0, other: 0
              backup: 20261121-011909F, status: valid, total files checked: 971, total valid files: 971
                missing: 0, checksum invalid: 0, size invalid: 0, other: 0
stanza: orders
status: ok
  archiveId: 15-1, total WAL checked: 11, total valid WAL: 11
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261121-011909F, status: valid, total files checked: 971, total valid files: 971
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
P00   INFO: verify command end: completed successfully (423ms)
)";

constexpr char flipped_byte[] =
    R"(P01   INFO: invalid checksum '20261121-011909F/pg_data/base/5/16385.lz4'
P00   INFO: stanza: orders
            status: error
              backup: 20261121-011909F, status: invalid, total files checked: 971, total valid files: 970
stanza: orders
status: error
  archiveId: 15-1, total WAL checked: 11, total valid WAL: 11
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261121-011909F, status: invalid, total files checked: 971, total valid files: 970
    missing: 0, checksum invalid: 1, size invalid: 0, other: 0
  backup: 20261121-011909F_20261121-011911D, status: valid, total files checked: 972, total valid files: 972
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
)";

constexpr char damaged_segment[] =
    R"(P01   INFO: invalid result 15-1/0000000100000000/000000010000000000000008-09a67b.lz4: [29] raised from local-1 protocol: lz4 error: [-18] ERROR_contentChecksum_invalid
            [FormatError] on retry after 0ms
stanza: orders
status: error
  archiveId: 15-1, total WAL checked: 11, total valid WAL: 10
    missing: 0, checksum invalid: 0, size invalid: 0, other: 1
  backup: 20261121-011909F, status: valid, total files checked: 971, total valid files: 971
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
)";

TEST(PgBackRestVerification, ASoundRepositoryHasNoProblems) {
  const auto result = parse_verification(sound);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->ok);
  EXPECT_THAT(result->problems, IsEmpty());
  EXPECT_EQ(result->output, sound);
}

TEST(PgBackRestVerification, NamesTheDamagedFileOnce) {
  const auto result = parse_verification(flipped_byte);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->ok);
  EXPECT_THAT(result->problems,
              ElementsAre("invalid checksum '20261121-011909F/pg_data/base/5/16385.lz4'"));
}

TEST(PgBackRestVerification, NamesTheDamagedSegmentOnce) {
  const auto result = parse_verification(damaged_segment);
  ASSERT_TRUE(result);
  EXPECT_THAT(
      result->problems,
      ElementsAre("invalid result 15-1/0000000100000000/000000010000000000000008-09a67b.lz4:"
                  " [29] raised from local-1 protocol: lz4 error: [-18] "
                  "ERROR_contentChecksum_invalid"));
}

// 2.45 calls a set without manifest "ok" as a whole.
TEST(PgBackRestVerification, OkIsNotTrustedWhenABackupIsNotValid) {
  const auto result = parse_verification(
      "stanza: orders\nstatus: ok\n"
      "  archiveId: 15-1, total WAL checked: 11, total valid WAL: 11\n"
      "  backup: 20261121-011909F, status: manifest missing, total files checked: 0, total valid "
      "files: 0\n");
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->ok);
  EXPECT_THAT(
      result->problems,
      ElementsAre("backup: 20261121-011909F, status: manifest missing, total files checked: "
                  "0, total valid files: 0"));
}

TEST(PgBackRestVerification, ProblemsWithoutACountAreReported) {
  const auto result =
      parse_verification("stanza: orders\nstatus: error\n  No usable archive.info file\n");
  ASSERT_TRUE(result);
  EXPECT_THAT(result->problems, ElementsAre("No usable archive.info file"));
  EXPECT_THAT(parse_verification("stanza: orders\nstatus: error\n")->problems,
              ElementsAre("pgbackrest verify reports status error"));
}

TEST(PgBackRestVerification, RunningBackupIsNotAProblem) {
  const auto result = parse_verification(
      "P00   INFO: backup '20261121-011909F' appears to be in progress, skipping\n"
      "stanza: orders\nstatus: ok\n"
      "  backup: 20261121-011909F, status: in-progress, total files checked: 0, total valid files: "
      "0\n");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->ok);
}

TEST(PgBackRestVerification, EmptyOutputIsInconclusive) {
  EXPECT_EQ(parse_verification(""), std::nullopt);
  EXPECT_EQ(parse_verification("P00   INFO: verify command end\n"), std::nullopt);
}

}  // namespace
}  // namespace pgrehearse
