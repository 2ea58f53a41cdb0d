#include "harness/repository/barman/barman_output.hpp"

#include <gtest/gtest.h>

#include "harness/repository/barman/barman_configuration.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

// Of Barman 3.4.
constexpr std::string_view info = R"(begin_time=2026-11-28 03:39:50.165226+00:00
begin_wal=000000010000000000000003
begin_xlog=0/3000028
deduplicated_size=23171000
end_time=2026-11-28 03:40:02.538544+00:00
end_wal=000000010000000000000004
end_xlog=0/4000060
size=23171422
status=DONE
systemid=7713061894759684257
tablespaces=[('fast', 16384, '/srv/fast'), ('it\'s', 16399, '/srv/other')]
timeline=1
version=150018
xlog_segment_size=16777216
)";

TEST(BarmanOutput, BackupInfoIsRead) {
  const auto found = parse_backup_info(info, "20261128T033950");
  const auto& backup = found.backup;
  EXPECT_EQ(backup.label, "20261128T033950");
  EXPECT_EQ(backup.postgres_major, 15);
  EXPECT_EQ(backup.system_identifier, 7713061894759684257U);
  EXPECT_EQ(to_text(*backup.start_lsn), "0/3000028");
  EXPECT_EQ(to_text(*backup.stop_lsn), "0/4000060");
  EXPECT_EQ(backup.stop_segment, "000000010000000000000004");
  EXPECT_EQ(backup.stop_time, parse_instant("2026-11-28 03:40:02.538544+00"));
  EXPECT_EQ(backup.size.count, 23171422U);
  EXPECT_EQ(found.segment_size, 16U << 20U);
  EXPECT_EQ(found.tablespaces.at("fast"), "16384");
  EXPECT_EQ(found.tablespaces.at("it's"), "16399");
  EXPECT_EQ(found.tablespaces.size(), 2U);
}

TEST(BarmanOutput, AnIncompleteBackupInfoIsRefused) {
  EXPECT_EQ(error_of([] { parse_backup_info("status=FAILED\nend_time=None\n", "x"); }).code(),
            FindingCode::repo_info);
}

TEST(BarmanOutput, TheListIsRead) {
  const auto listed = parse_barman_list(
      R"({"main": [{"backup_id": "20261128T033950", "status": "DONE"}, {"backup_id": "2"}]})",
      "main");
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].id, "20261128T033950");
  EXPECT_EQ(listed[0].status, "DONE");
  for (const auto* text : {"", "{}", "[]", R"({"main": [{}]})"}) {
    EXPECT_EQ(error_of([&] { parse_barman_list(text, "main"); }).code(), FindingCode::repo_info)
        << text;
  }
}

TEST(BarmanConfiguration, TheDrillsOwnReachesNoServer) {
  const auto configuration = parse_barman_configuration(
      {"[barman]\nbarman_home = /srv/barman\nbarman_user = barman\nlog_file = "
       "/var/log/barman.log\n",
       "; a comment\n[main]\nconninfo = host=db1 password=secret\ncompression = gzip\n"
       "post_recovery_retry_script = /usr/bin/mail\nbackup_directory = /srv/main\n"
       "[other]\ncompression = bzip2\n"},
      "main");
  EXPECT_EQ(configuration.backups, "/srv/main/base");
  EXPECT_EQ(configuration.archive, "/srv/main/wals");
  EXPECT_EQ(configuration.incoming, "/srv/main/incoming");
  EXPECT_EQ(configuration.servers, (std::vector<std::string>{"main", "other"}));
  const auto own = own_barman_configuration(configuration, "main", {.name = "postgres"}, "/own");
  EXPECT_EQ(own.find("secret"), std::string::npos) << own;
  EXPECT_EQ(own.find("mail"), std::string::npos) << own;
  EXPECT_EQ(own.find("/var/log"), std::string::npos) << own;
  EXPECT_NE(own.find("barman_user = postgres"), std::string::npos) << own;
  EXPECT_NE(own.find("compression = gzip"), std::string::npos) << own;
  EXPECT_EQ(parse_barman_configuration({}, "main").archive, "/var/lib/barman/main/wals");
}

}  // namespace
}  // namespace pgrehearse
