#include "harness/repository/basebackup/backup_files.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

TEST(BackupLabel, IsRead) {
  const auto label = parse_backup_label(
      "START WAL LOCATION: 0/3000028 (file 000000010000000000000003)\n"
      "CHECKPOINT LOCATION: 0/3000060\nBACKUP METHOD: streamed\nBACKUP FROM: standby\n"
      "START TIME: 2026-11-28 03:39:54 UTC\nLABEL: pg_basebackup base backup\n"
      "START TIMELINE: 1\n");
  EXPECT_EQ(to_text(label.start_lsn), "0/3000028");
  EXPECT_EQ(label.start_segment, "000000010000000000000003");
  EXPECT_EQ(label.timeline, 1U);
  EXPECT_TRUE(label.from_standby);
  EXPECT_FALSE(label.incremental);
  EXPECT_EQ(label.start_time, "2026-11-28 03:39:54 UTC");
  EXPECT_TRUE(parse_backup_label("START WAL LOCATION: 0/28 (file 000000010000000000000000)\n"
                                 "INCREMENTAL FROM LSN: 0/20\n")
                  .incremental);
}

TEST(BackupLabel, WithoutALocationIsDamage) {
  for (const auto* text : {"", "START WAL LOCATION: x\n",
                           "START WAL LOCATION: 0/28 (file 00000001)\n", "LABEL: x\n"}) {
    EXPECT_EQ(error_of([&] { parse_backup_label(text); }).code(), FindingCode::repo_damaged)
        << text;
  }
}

TEST(BackupManifest, GivesSizeAndEnd) {
  const auto manifest = parse_backup_manifest(R"({ "PostgreSQL-Backup-Manifest-Version": 2,
"System-Identifier": 7713061894759684257,
"Files": [ { "Path": "a", "Size": 225 }, { "Path": "b", "Size": 4789 } ],
"WAL-Ranges": [ { "Timeline": 1, "Start-LSN": "0/3000028", "End-LSN": "0/3000100" } ] })");
  EXPECT_EQ(manifest.system_identifier, 7713061894759684257U);
  EXPECT_EQ(manifest.size.count, 5014U);
  EXPECT_EQ(manifest.files, 2U);
  EXPECT_EQ(to_text(*manifest.end_lsn), "0/3000100");
  for (const auto* text : {"", "{}", R"({"Files": 1})", R"({"Files": [{}]})"}) {
    EXPECT_EQ(error_of([&] { parse_backup_manifest(text); }).code(), FindingCode::repo_damaged)
        << text;
  }
}

TEST(BackupHistoryFile, GivesTheEnd) {
  const auto history = parse_backup_history(
      "START WAL LOCATION: 0/3000028 (file 000000010000000000000003)\n"
      "STOP WAL LOCATION: 0/3000100 (file 000000010000000000000003)\n"
      "STOP TIME: 2026-11-28 03:39:57 UTC\n");
  EXPECT_EQ(to_text(*history.stop_lsn), "0/3000100");
  EXPECT_EQ(history.stop_segment, "000000010000000000000003");
  EXPECT_EQ(history.stop_time, parse_instant("2026-11-28 03:39:57+00"));
}

TEST(LabelTime, OfAnUnknownZoneIsNotGuessed) {
  EXPECT_EQ(parse_label_time("2026-11-28 05:39:57 +02"), parse_instant("2026-11-28 03:39:57+00"));
  EXPECT_EQ(parse_label_time("2026-11-28 03:39:57 GMT"), parse_instant("2026-11-28 03:39:57+00"));
  EXPECT_EQ(parse_label_time("2026-11-28 05:39:57 EET"), std::nullopt);
  EXPECT_EQ(parse_label_time(""), std::nullopt);
}

TEST(VerifyBackup, ProblemsAreNamed) {
  const auto problems = parse_verifybackup(
      "pg_verifybackup: error: checksum mismatch for file \"base/5/16385\"\n"
      "pg_verifybackup: error: \"base/1/2\" is present in the manifest but not on disk\n");
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(file_in(problems[0]), "base/5/16385");
  EXPECT_EQ(file_in(problems[1]), "base/1/2");
  EXPECT_EQ(file_in("could not open the manifest"), "");
}

}  // namespace
}  // namespace pgrehearse
