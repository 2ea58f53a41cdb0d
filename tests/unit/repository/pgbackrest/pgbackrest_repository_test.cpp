#include "harness/repository/pgbackrest/pgbackrest_repository.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"
#include "tests/fakes/scripted_command_runner.hpp"
#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/fakes/thrown_error.hpp"
#include "tests/unit/repository/pgbackrest/recorded_info.hpp"

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Script = ScriptedCommandRunner;

class PgBackRestRepositoryTest : public testing::Test {
 protected:
  PgBackRestRepository repository(RepositorySpec spec = {.stanza = "orders"}) {
    return {std::move(spec), runner_, {.name = "postgres", .uid = 999}, "/private"};
  }
  Backup backup_{.label = "20261121-011909F",
                 .repository_key = 2,
                 .database_id = 1,
                 .postgres_major = 15,
                 .postgres_version = "15",
                 .size = {1000}};
  ScriptedCommandRunner runner_;
  ScriptedSandbox sandbox_{runner_};
};

TEST_F(PgBackRestRepositoryTest, ReadsTheVersionOfTheConfiguredBinary) {
  runner_.on({"pgbunker", "version"}, Script::success("pgBunker 3.1\n"));
  EXPECT_EQ(repository({.stanza = "orders", .binary = "/opt/pgbunker"}).version({}),
            "pgBunker 3.1");
}

TEST_F(PgBackRestRepositoryTest, MissingBinaryHasTheCauseEnvironment) {
  runner_.on_call({"version"}, [](const Command&) -> CommandResult {
    throw Error(ErrorKind::environment, "program 'pgbackrest' is not in PATH", "",
                FindingCode::env_binary);
  });
  const auto error = error_of([&] { repository().version({}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.hint(), HasSubstr("install the package pgbackrest"));
}

TEST_F(PgBackRestRepositoryTest, ListsWithPrivatePathsAndADeadline) {
  runner_.on({"info"}, Script::success(recorded::info));
  const auto list =
      repository({.stanza = "orders", .configuration = "/etc/x.conf", .key = 3}).list({});
  EXPECT_EQ(list.backups.size(), 3U);
  const auto& command = runner_.commands().front();
  EXPECT_THAT(command.arguments,
              AllOf(Contains("--config=/etc/x.conf"), Contains("--stanza=orders"),
                    Contains("--repo=3"), Contains("--lock-path=/private/lock"),
                    Contains("--log-level-file=off"), Contains("--output=json")));
  EXPECT_LE(command.timeout, std::chrono::minutes(2));
  EXPECT_EQ(command.account->name, "postgres");
}

TEST_F(PgBackRestRepositoryTest, NamesTheStanzaThatWasProbablyMeant) {
  runner_.on({"--stanza=order", "info"}, Script::success(recorded::missing_stanza));
  runner_.on({"info"}, Script::success(recorded::info));
  const auto error = error_of([&] { repository({.stanza = "order"}).list({}); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_EQ(error.code(), FindingCode::repo_stanza);
  EXPECT_EQ(error.hint(), "did you mean 'orders'?");
}

TEST_F(PgBackRestRepositoryTest, AnUnreadableRepositoryIsNotABadBackup) {
  runner_.on({"info"},
             {Script::success(recorded::no_permission), Script::success(recorded::unreachable),
              Script::success(recorded::wrong_passphrase)});
  EXPECT_EQ(error_of([&] { repository().list({}); }).code(), FindingCode::env_permission);
  const auto unreachable = error_of([&] { repository().list({}); });
  EXPECT_EQ(unreachable.kind(), ErrorKind::environment);
  EXPECT_EQ(unreachable.code(), FindingCode::env_host);
  const auto cipher = error_of([&] { repository().list({}); });
  EXPECT_EQ(cipher.kind(), ErrorKind::repository);
  EXPECT_EQ(cipher.code(), FindingCode::repo_cipher);
}

TEST_F(PgBackRestRepositoryTest, RequestsTheFilesOfABackupWithErrors) {
  std::string json = recorded::info;
  json.replace(json.find(R"("error":false)"), 13, R"("error":true)");
  runner_.on({"--set=20261121-011909F"},
             Script::success(R"([{"name":"orders","backup":[{"error-list":["base/5/16385"]}]}])"));
  runner_.on({"info"}, Script::success(json));
  EXPECT_THAT(repository().list({}).backups.front().errors, ElementsAre("base/5/16385"));
}

TEST_F(PgBackRestRepositoryTest, ListsTheArchiveWithItsHistories) {
  runner_.on({"repo-ls", "archive/orders/15-1"},
             Script::success(R"({"00000002.history":{"type":"file","size":64}})"));
  runner_.on({"repo-get", "archive/orders/15-1/00000002.history"},
             Script::success("1\t0/E0000A0\tno recovery target specified\n"));
  const auto archive = repository().list_archive(backup_, 16ULL << 20U, {});
  ASSERT_EQ(archive.histories.at(2).size(), 1U);
  EXPECT_EQ(archive.histories.at(2)[0].switch_lsn, parse_lsn("0/E0000A0"));
  EXPECT_THAT(runner_.commands()[0].arguments, Contains("--repo=2"));
}

TEST_F(PgBackRestRepositoryTest, DamagedHistoryFileIsNamed) {
  runner_.on({"repo-ls"}, Script::success(R"({"00000002.history":{"type":"file","size":64}})"));
  runner_.on({"repo-get"}, Script::success("\x01\x02\n"));
  const auto error = error_of([&] { repository().list_archive(backup_, 16ULL << 20U, {}); });
  EXPECT_EQ(error.object(), "00000002.history");
  EXPECT_EQ(error.code(), FindingCode::timeline_history);
}

TEST_F(PgBackRestRepositoryTest, RestoresIntoTheSandboxOnlyAndReportsProgress) {
  runner_.on({"restore"},
             Script::success("P01 DETAIL: restore file /sandbox/data/base/1/1 (8KB, 40.00%) "
                             "checksum aa\n"
                             "P01 DETAIL: restore file /sandbox/data/base/1/2 (0B, 40.00%)\n"
                             "P00   INFO: restore command end: completed successfully\n"));
  std::vector<std::uint64_t> done;
  repository({.stanza = "orders", .configuration = "/etc/x.conf"})
      .restore(backup_, {}, sandbox_, [&](const auto& step) { done.push_back(step.done.count); },
               {});
  EXPECT_THAT(done, ElementsAre(400U));
  EXPECT_THAT(runner_.commands().front().arguments,
              AllOf(Contains("--config=/etc/x.conf"), Contains("--repo=2"),
                    Contains("--set=20261121-011909F"), Contains("--pg1-path=/sandbox/data"),
                    Contains("--tablespace-map-all=/sandbox/tablespaces"),
                    Contains("--lock-path=/sandbox/pgbackrest/lock"), Contains("--type=standby"),
                    Contains("--process-max=2"), Contains("--archive-mode=off")));
}

TEST_F(PgBackRestRepositoryTest, VerifyNamesTheFileWhenRestoreDoesNot) {
  runner_.on({"restore"}, Script::failure(29, "",
                                          "P00  ERROR: [029]: raised from local-1 protocol: lz4 "
                                          "error: [-18] ERROR_contentChecksum_invalid\n"));
  runner_.on(
      {"verify"},
      Script::success("P01   INFO: invalid checksum '20200101-000000F/pg_data/base/5/1.lz4'\n"
                      "P01   INFO: invalid checksum '20261121-011909F/pg_data/base/5/16385.lz4'\n"
                      "stanza: orders\nstatus: error\n"));
  const auto error = error_of([&] { repository().restore(backup_, {}, sandbox_, nullptr, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::restore);
  EXPECT_EQ(error.object(), "20261121-011909F/pg_data/base/5/16385.lz4");
  EXPECT_THAT(error.what(), AllOf(HasSubstr("[029]"), HasSubstr("base/5/16385.lz4")));
}

TEST_F(PgBackRestRepositoryTest, NamesFilesRelativeToTheDataDirectory) {
  runner_.on({"restore"},
             Script::failure(26, "",
                             "P00  ERROR: [026]: raised from local-1 protocol: error restoring "
                             "'/sandbox/data/base/5/16386': actual checksum 'a' does not match "
                             "expected checksum 'b'\n"));
  const auto error = error_of([&] { repository().restore(backup_, {}, sandbox_, nullptr, {}); });
  EXPECT_EQ(error.code(), FindingCode::repo_damaged);
  EXPECT_EQ(error.object(), "base/5/16386");
}

TEST_F(PgBackRestRepositoryTest, FullSandboxIsReportedWithoutRunningVerify) {
  runner_.on({"restore"},
             Script::failure(64, "", "P00  ERROR: [064]: unable to write '/sandbox/data/x'\n"));
  const auto error = error_of([&] { repository().restore(backup_, {}, sandbox_, nullptr, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(runner_.commands().size(), 1U);
}

TEST_F(PgBackRestRepositoryTest, FetchesASingleSegmentWhateverTheConfiguration) {
  const auto command = repository().archive_get(backup_, sandbox_, WalFetch::single);
  EXPECT_THAT(command, AllOf(Contains("--no-archive-async"), Not(Contains("--archive-async"))));
}

TEST_F(PgBackRestRepositoryTest, FetchesWalAsynchronouslyWithAPrivateSpool) {
  const auto command = repository().archive_get(backup_, sandbox_, WalFetch::ahead);
  EXPECT_EQ(command.front(), "pgbackrest");
  EXPECT_EQ(command.back(), "archive-get");
  EXPECT_THAT(command, AllOf(Contains("--archive-async"), Contains("--reset-pg1-host"),
                             Contains("--spool-path=/sandbox/pgbackrest/spool"),
                             Contains("--lock-path=/sandbox/pgbackrest/lock"),
                             Contains("--pg1-path=/sandbox/data"), Contains("--repo=2")));
}

TEST_F(PgBackRestRepositoryTest, VerifyNeedsAVerdictAndPermission) {
  runner_.on({"verify"},
             {Script::success("stanza: orders\nstatus: ok\n"), Script::success(""),
              Script::success("P00 DETAIL: unable to open file '/repo/archive/orders/archive.info' "
                              "for read: [13] Permission denied\n"
                              "stanza: orders\nstatus: error\n  No usable archive.info file\n")});
  auto tool = repository();
  EXPECT_TRUE(tool.verify(backup_, {}).ok);
  EXPECT_EQ(error_of([&] { tool.verify(backup_, {}); }).kind(), ErrorKind::environment);
  EXPECT_EQ(error_of([&] { tool.verify(backup_, {}); }).code(), FindingCode::env_permission);
}

}  // namespace
}  // namespace pgrehearse
