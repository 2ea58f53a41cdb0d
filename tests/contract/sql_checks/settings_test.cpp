#include <fstream>

#include "tests/contract/sql_checks/sql_check_test.hpp"
#include "tests/fakes/directory_sandbox.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Values = std::map<std::string, std::string>;

class SettingsCheckTest : public SqlCheckTest {
 protected:
  void SetUp() override {
    SqlCheckTest::SetUp();
    bench.sandbox = &sandbox;
  }

  CheckOutcome expect(const Values& values) {
    return run_check("settings", settings_of({{"expected", values}}));
  }
  void restore_configuration(const std::string& main, const std::string& automatic = "") {
    sandbox.write_file(sandbox.paths().data / "postgresql.conf", main);
    sandbox.write_file(sandbox.paths().configuration / "restored.auto.conf", automatic);
  }

  DirectorySandbox sandbox;
};

TEST_F(SettingsCheckTest, ComparesAsPostgresqlDoesAndTheAutomaticFileWins) {
  restore_configuration("shared_buffers = 1GB\nmax_connections = 100\nwork_mem = 4096  # kB\n",
                        "max_connections = '500'\n");
  const auto outcome = expect({{"shared_buffers", "1024MB"},
                               {"max_connections", "500"},
                               {"work_mem", "4MB"},
                               {"wal_compression", "off"},  // PostgreSQL's default
                               {"app.region", "eu"}});
  // The custom setting is in no file, and has no default.
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-SETTING-NOT-IN-BACKUP app.region"));
  EXPECT_THAT(outcome.summary, HasSubstr("4 of 5 settings"));
}

TEST_F(SettingsCheckTest, NamesADifferentValueAndItsLine) {
  restore_configuration("# tuned\nwork_mem = 64kB\n");
  const auto outcome = expect({{"work_mem", "64MB"}, {"autovacuum_max_workers", "5"}});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_THAT(codes_and_objects(outcome), ElementsAre("PGR-SETTING-DIFFERS autovacuum_max_workers",
                                                      "PGR-SETTING-DIFFERS work_mem"));
  EXPECT_EQ(outcome.findings.at(0).details.at("origin"), "the built-in defaults");
  EXPECT_EQ(outcome.findings[1].details.at("origin"), "postgresql.conf:2");
}

TEST_F(SettingsCheckTest, WithoutPostgresqlConfItCannotTellExceptFromPgControl) {
  const ControlData control{.max_connections = 300};
  bench.control = &control;
  EXPECT_EQ(expect({{"max_connections", "300"}}).verdict, Verdict::pass);
  EXPECT_EQ(expect({{"max_connections", "500"}}).verdict, Verdict::fail);
  EXPECT_EQ(expect({{"work_mem", "64MB"}}).verdict, Verdict::unknown);
}

TEST_F(SettingsCheckTest, FollowsIncludesAndNamesTheOneThatIsNotInTheBackup) {
  std::filesystem::create_directory(sandbox.paths().data / "conf.d");
  sandbox.write_file(sandbox.paths().data / "conf.d" / "10-memory.conf", "work_mem = 8MB\n");
  sandbox.write_file(sandbox.paths().data / "conf.d" / "20-memory.conf", "work_mem = 16MB\n");
  restore_configuration("include_dir = 'conf.d'\n");
  EXPECT_EQ(expect({{"work_mem", "16MB"}}).verdict, Verdict::pass);
  restore_configuration("include_dir = 'conf.d'\ninclude 'extra.conf'\n");
  const auto outcome = expect({{"work_mem", "16MB"}});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-SETTING-FILE postgresql.conf:2 (include 'extra.conf')"));
}

TEST_F(SettingsCheckTest, ReadsSettingsOfDatabasesAndRoles) {
  restore_configuration("work_mem = 4MB\n");
  const auto database = make_database({"select 1"});
  copy_cluster().execute(
      database,
      {"alter database " + database + " set work_mem = '64MB'", "drop role if exists app",
       "create role app", "alter role app in database " + database + " set work_mem = '1GB'",
       "alter role app set statement_timeout = '30s'"});
  EXPECT_EQ(expect({{database + "/work_mem", "64MB"},
                    {"app@" + database + "/work_mem", "1024MB"},
                    {"app@/statement_timeout", "30000"}})
                .verdict,
            Verdict::pass);
  EXPECT_THAT(codes_and_objects(
                  expect({{database + "/work_mem", "1MB"}, {database + "/lock_timeout", "1s"}})),
              ElementsAre("PGR-SETTING-DIFFERS " + database + "/lock_timeout",
                          "PGR-SETTING-DIFFERS " + database + "/work_mem"));
}

TEST_F(SettingsCheckTest, HintsAtTheNameThatWasMeant) {
  restore_configuration("");
  const auto outcome = expect({{"max_connection", "500"}});
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(outcome.findings.at(0).hint, HasSubstr("max_connections"));
}

}  // namespace
}  // namespace pgrehearse
