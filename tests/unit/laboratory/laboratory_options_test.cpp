#include "harness/laboratory/laboratory_options.hpp"

#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

TEST(LaboratoryOptions, SocketsAreBelowTheRootUnlessItsPathIsLong) {
  EXPECT_EQ(laboratory_paths({.id = "demo-1", .state = "/srv"}).sockets, "/srv/demo-1/sockets");
  const std::filesystem::path deep("/" + std::string(90, 'd'));
  EXPECT_EQ(laboratory_paths({.id = "demo-1", .state = deep}).sockets, "/tmp/pgr-demo-1");
}

TEST(LaboratoryOptions, TheArchiveCommandNamesAnAbsoluteConfiguration) {
  const LaboratoryOptions options{.id = "l", .state = "/srv", .stanza = "orders"};
  const auto text = laboratory_postgresql_conf(options, laboratory_paths(options));
  EXPECT_NE(text.find("archive_command = 'pgbackrest "
                      "--config=/srv/l/pgbackrest/pgbackrest.conf --stanza=orders "
                      "archive-push \"%p\"'"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("listen_addresses = ''"), std::string::npos);
}

TEST(LaboratoryOptions, OtherToolsArchiveByACopyThatIsCompleteBeforeItHasItsName) {
  LaboratoryOptions options{.id = "l", .state = "/srv", .tool = BackupTool::basebackup};
  EXPECT_EQ(laboratory_archive_command(options, laboratory_paths(options)),
            R"(cp "%p" /srv/l/repository/archive/.%f.part && )"
            "mv /srv/l/repository/archive/.%f.part /srv/l/repository/archive/%f");
  options.tool = BackupTool::barman;
  EXPECT_NE(laboratory_archive_command(options, laboratory_paths(options))
                .find("/srv/l/repository/demo/incoming/%f"),
            std::string::npos);
}

TEST(LaboratoryOptions, EachToolHasItsPlaceForBackupsAndWal) {
  RepositoryPlace place{.tool = BackupTool::barman,
                        .repository = "/r",
                        .stanza = "demo",
                        .configuration = "/c/barman.conf"};
  EXPECT_EQ(place.data_of("1"), "/r/demo/base/1/data");
  EXPECT_EQ(place.archive(), "/r/demo/wals");
  EXPECT_EQ(place.scenario_value(), R"({ type: barman, server: demo, config: "/c/barman.conf" })");
  place.tool = BackupTool::basebackup;
  EXPECT_EQ(place.data_of("1"), "/r/base/1");
  EXPECT_EQ(place.scenario_value(),
            R"({ type: basebackup, path: "/r/base", archive: "/r/archive" })");
  place.tool = BackupTool::pgbackrest;
  EXPECT_EQ(place.data_of("1"), "/r/backup/demo/1/pg_data");
}

TEST(LaboratoryOptions, OnlyARepositoryHostNamesThePrimaryHost) {
  const LaboratoryOptions options{.id = "l", .state = "/srv"};
  const auto paths = laboratory_paths(options);
  EXPECT_EQ(laboratory_pgbackrest_conf(options, paths, false).find("pg1-host"), std::string::npos);
  EXPECT_NE(laboratory_pgbackrest_conf(options, paths, true).find("pg1-host="), std::string::npos);
}

TEST(LaboratoryOptions, ThePassphraseIsInTheConfigurationAndNotInTheRecord) {
  const LaboratoryOptions options{.id = "l", .state = "/srv", .cipher_passphrase = "secret words"};
  const auto text = laboratory_pgbackrest_conf(options, laboratory_paths(options), false);
  EXPECT_NE(text.find("repo1-cipher-pass=secret words\n"), std::string::npos);
  EXPECT_EQ(laboratory_record(options).find("secret"), std::string::npos);
}

TEST(LaboratoryOptions, OptionsAreRestoredFromTheRecord) {
  const LaboratoryOptions options{.id = "7",
                                  .state = "/srv",
                                  .directory = "/srv/labs",
                                  .account = "postgres",
                                  .postgres_major = 15,
                                  .binaries = "/opt/pg/bin",
                                  .tool = BackupTool::barman,
                                  .stanza = "orders",
                                  .wal_segment_size = {1 << 20},
                                  .repository_host = true};
  const auto read = laboratory_options_from_record(laboratory_record(options));
  EXPECT_EQ(read.id, "7");
  EXPECT_EQ(read.state, "/srv");
  EXPECT_EQ(read.directory, "/srv/labs");
  EXPECT_EQ(read.account, "postgres");
  EXPECT_EQ(read.postgres_major, 15);
  EXPECT_EQ(read.binaries, "/opt/pg/bin");
  EXPECT_EQ(read.tool, BackupTool::barman);
  EXPECT_EQ(read.stanza, "orders");
  EXPECT_EQ(read.wal_segment_size, Bytes{1 << 20});
  EXPECT_TRUE(read.repository_host);
  EXPECT_THROW(laboratory_options_from_record("{}"), Error);
}

}  // namespace
}  // namespace pgrehearse
