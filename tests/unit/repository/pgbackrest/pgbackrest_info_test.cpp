#include "harness/repository/pgbackrest/pgbackrest_info.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"
#include "tests/unit/repository/pgbackrest/recorded_info.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string with(std::string json, std::string_view what, std::string_view instead) {
  return json.replace(json.find(what), what.size(), instead);
}

std::string refusal_of(const std::string& json) {
  try {
    parse_pgbackrest_info(json, "orders");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::repository);
    EXPECT_EQ(error.code(), FindingCode::repo_info);
    return error.what();
  }
  ADD_FAILURE() << "was not rejected";
  return {};
}

TEST(PgBackRestInfo, NumberTooLargeIsRejected) {
  EXPECT_THAT(refusal_of(R"([{"name": "orders", "size": 1e9999}])"), HasSubstr("out_of_range"));
  EXPECT_THAT(refusal_of(with(recorded::info, R"("stop":1795223950)", R"("stop":17952239051)")),
              HasSubstr("timestamp.stop is too large"));
}

TEST(PgBackRestInfo, ReadsEveryBackupWithItsIdentityAndTimes) {
  const auto list = parse_pgbackrest_info(recorded::info, "orders");
  EXPECT_EQ(list.status.code, 0);
  EXPECT_EQ(list.newest_database.at(1), 1);
  ASSERT_EQ(list.backups.size(), 3U);
  const auto& incremental = list.backups[2];
  EXPECT_EQ(incremental.label, "20261121-011909F_20261121-011914I");
  EXPECT_EQ(incremental.type, BackupType::incremental);
  EXPECT_EQ(incremental.prior, "20261121-011909F_20261121-011911D");
  EXPECT_THAT(incremental.references,
              ElementsAre("20261121-011909F", "20261121-011909F_20261121-011911D"));
  EXPECT_EQ(incremental.system_identifier, 7710428138534941480U);
  EXPECT_EQ(incremental.postgres_version, "15");
  EXPECT_EQ(incremental.postgres_major, 15);
  EXPECT_EQ(incremental.tool_version, "2.45");
  EXPECT_EQ(incremental.stop_time, parse_instant("2026-11-21 01:19:15+00"));
  EXPECT_EQ(incremental.start_lsn, parse_lsn("0/6000028"));
  EXPECT_EQ(incremental.stop_lsn, parse_lsn("0/6000100"));
  EXPECT_EQ(incremental.start_segment, "000000010000000000000006");
  EXPECT_EQ(incremental.size.count, 26302328U);
  EXPECT_EQ(incremental.repository_size.count, 6475690U);
  EXPECT_FALSE(incremental.error);
  EXPECT_FALSE(incremental.encrypted);
  EXPECT_TRUE(list.backups[0].prior.empty());
}

TEST(PgBackRestInfo, KeepsA64BitSystemIdentifier) {
  const auto json = with(recorded::info, "7710428138534941480", "18446744073709551615");
  EXPECT_EQ(parse_pgbackrest_info(json, "orders").backups[0].system_identifier, ~0ULL);
}

TEST(PgBackRestInfo, ToleratesNewKeysAndAbsentOnes) {
  auto json = with(recorded::info, R"("error":false,)", R"("annotation":{"a":"b"},"new":[1],)");
  json = with(json, R"("repository":{"delta":6301058,"size":6301058})",
              R"("repository":{"delta":1,"delta-map":2})");
  json = with(json, R"("lsn":{"start":"0/2000028","stop":"0/2000100"},)", "");
  const auto backup = parse_pgbackrest_info(json, "orders").backups[0];
  EXPECT_FALSE(backup.error);
  EXPECT_EQ(backup.repository_size.count, 0U);
  EXPECT_EQ(backup.stop_lsn, std::nullopt);
}

TEST(PgBackRestInfo, ReadsErrorFlagCipherAndEarlierVersion) {
  auto json = with(recorded::info, R"("error":false)", R"("error":true)");
  json = with(json, R"("repo":[{"cipher":"none")", R"("repo":[{"cipher":"aes-256-cbc")");
  json = with(json, R"("version":"15"}])", R"("version":"9.6"}])");
  const auto backup = parse_pgbackrest_info(json, "orders").backups[0];
  EXPECT_TRUE(backup.error);
  EXPECT_TRUE(backup.encrypted);
  EXPECT_EQ(backup.postgres_version, "9.6");
  EXPECT_EQ(backup.postgres_major, 9);
}

TEST(PgBackRestInfo, DistinguishesRepositories) {
  const std::string two = R"([{"archive":[],"backup":[
    {"archive":{"start":"000000010000000000000002","stop":"000000010000000000000002"},
     "backrest":{"format":5,"version":"2.59"},"database":{"id":2,"repo-key":2},"info":{"size":9},
     "label":"B","timestamp":{"start":20,"stop":30},"type":"full"},
    {"archive":{"start":"000000010000000000000001","stop":"000000010000000000000001"},
     "backrest":{"format":5,"version":"2.59"},"database":{"id":1,"repo-key":1},"info":{"size":9},
     "label":"A","timestamp":{"start":10,"stop":11},"type":"full"}],
    "cipher":"mixed","db":[{"id":1,"repo-key":1,"system-id":11,"version":"14"},
    {"id":1,"repo-key":2,"system-id":11,"version":"14"},
    {"id":2,"repo-key":2,"system-id":22,"version":"16"}],"name":"orders",
    "repo":[{"cipher":"none","key":1,"status":{"code":99,"message":"[HostConnectError] down"}},
    {"cipher":"aes-256-cbc","key":2,"status":{"code":0,"message":"ok"}}],
    "status":{"code":4,"message":"different across repos"}}])";
  const auto list = parse_pgbackrest_info(two, "orders");
  EXPECT_EQ(list.status.code, 4);
  EXPECT_EQ(list.status.message, "repo1: [HostConnectError] down");
  ASSERT_EQ(list.backups.size(), 2U);
  EXPECT_EQ(list.backups[0].label, "A");  // older
  EXPECT_EQ(list.backups[0].system_identifier, 11U);
  EXPECT_FALSE(list.backups[0].encrypted);
  EXPECT_EQ(list.backups[1].repository_key, 2);
  EXPECT_EQ(list.backups[1].system_identifier, 22U);
  EXPECT_TRUE(list.backups[1].encrypted);
  EXPECT_EQ(list.newest_database.at(1), 1);
  EXPECT_EQ(list.newest_database.at(2), 2);
}

TEST(PgBackRestInfo, ReportsTheStatusOfAMissingStanza) {
  EXPECT_EQ(parse_pgbackrest_info("[]", "orders").status.code, 1);
  EXPECT_EQ(parse_pgbackrest_info(recorded::info, "order").status.code, 1);
  EXPECT_EQ(parse_pgbackrest_info(recorded::missing_stanza, "orders").status.message,
            "missing stanza path");
  const auto denied = parse_pgbackrest_info(recorded::no_permission, "orders");
  EXPECT_EQ(denied.status.code, 99);
  EXPECT_THAT(denied.status.message, HasSubstr("[13] Permission denied"));
}

TEST(PgBackRestInfo, WrongPassphraseOutputIsHandled) {
  const auto list = parse_pgbackrest_info(recorded::wrong_passphrase, "orders");
  EXPECT_EQ(list.status.code, 99);
  EXPECT_THAT(list.status.message, HasSubstr("?I[#X2"));
}

TEST(PgBackRestInfo, NamesThePathOfAnUnreadableValue) {
  EXPECT_THAT(refusal_of(""), HasSubstr("byte 1"));
  EXPECT_THAT(refusal_of(R"([{"name":"orders",)"), HasSubstr("orders"));
  EXPECT_THAT(refusal_of("{}"), HasSubstr("not an array"));
  EXPECT_THAT(refusal_of(with(recorded::info, R"("type":"full")", R"("type":"page")")),
              HasSubstr("backup[0].type is 'page'"));
  EXPECT_THAT(refusal_of(with(recorded::info, R"("stop":1795223953)", R"("stop":"late")")),
              HasSubstr("backup[1].timestamp.stop is not a number"));
  EXPECT_THAT(refusal_of(with(recorded::info, R"("label":"20261121-011909F",)", "")),
              HasSubstr("backup[0] has no 'label'"));
  EXPECT_THAT(refusal_of(with(recorded::info, R"("0/4000100")", R"("4000100")")),
              HasSubstr("lsn.stop is '4000100'"));
  EXPECT_THAT(refusal_of(with(recorded::info, R"("db":[{"id":1,)", R"("db":[{"id":7,)")),
              HasSubstr("which is not listed"));
}

TEST(PgBackRestInfo, ListsStanzasAndFilesWithErrors) {
  EXPECT_THAT(stanza_names(recorded::info), ElementsAre("orders"));
  EXPECT_THAT(parse_error_list(recorded::info), ElementsAre());
  EXPECT_THAT(
      parse_error_list(R"([{"name":"o","backup":[{"error-list":["base/1/2","base/1/3"]}]}])"),
      ElementsAre("base/1/2", "base/1/3"));
}

}  // namespace
}  // namespace pgrehearse
