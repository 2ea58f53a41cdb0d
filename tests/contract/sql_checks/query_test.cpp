#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Expected = std::map<std::string, std::string>;

class QueryTest : public SqlCheckTest {
 protected:
  CheckOutcome ask(const std::string& sql, const Expected& expected,
                   std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
    return run_check("query", settings_of({{"database", bench.databases.at(0)},
                                           {"sql", sql},
                                           {"expect", expected},
                                           {"timeout", timeout}}));
  }
};

TEST_F(QueryTest, ComparesTheFirstValue) {
  make_database({"create table orders (id integer, at timestamptz default now())",
                 "insert into orders select generate_series(1, 20)"});
  EXPECT_EQ(ask("select max(at) > now() - interval '1 day' from orders", {{"", "true"}}).verdict,
            Verdict::pass);
  EXPECT_EQ(ask("select count(*) from orders", {{"at_least", "20"}}).verdict, Verdict::pass);
  const auto outcome = ask("select count(*) from orders", {{"at_least", "21"}});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::query_mismatch);
  EXPECT_EQ(outcome.findings.at(0).details.at("value"), "20");
}

TEST_F(QueryTest, ShowsTheRowsThatShouldNotBeThere) {
  make_database({"create table orders (id integer, state text)",
                 "insert into orders values (7, 'lost'), (8, null)"});
  EXPECT_EQ(ask("select * from orders where id > 8", {{"", "no rows"}}).verdict, Verdict::pass);
  const auto outcome = ask("select * from orders order by id", {{"", "no rows"}});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(outcome.findings.at(0).message, HasSubstr("(7, lost) (8, NULL)"));
}

TEST_F(QueryTest, AnErrorIsAFailWithItsSqlstate) {
  make_database({});
  const auto outcome = ask("select * from gone", {{"", "no rows"}});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::query_error);
  EXPECT_EQ(outcome.findings.at(0).details.at("sqlstate"), "42P01");
}

TEST_F(QueryTest, ADeadlineIsUnknown) {
  make_database({});
  const auto outcome = ask("select pg_sleep(30)", {{"", "1"}}, std::chrono::milliseconds(50));
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::query_timeout);
}

TEST_F(QueryTest, NamesAMissingDatabase) {
  bench.databases = {"shop", "postgres"};
  const auto outcome = run_check("query", settings_of({{"database", std::string("shopp")},
                                                       {"sql", std::string("select 1")},
                                                       {"expect", Expected{{"", "1"}}}}));
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-QUERY-DATABASE shopp"));
  EXPECT_THAT(outcome.findings.at(0).hint, HasSubstr("'shop'"));
}

TEST_F(QueryTest, FindsTablesByTheDatabasesOwnSearchPath) {
  const auto database =
      make_database({"create schema app", "create table app.orders (id integer)"});
  EXPECT_EQ(ask("select count(*) from orders", {{"", "0"}}).verdict, Verdict::fail);
  copy_cluster().execute(database,
                         {"alter database " + database + " set search_path = app, public"});
  EXPECT_EQ(ask("select count(*) from orders", {{"", "0"}}).verdict, Verdict::pass);
}

TEST_F(QueryTest, SeesTheSettingsOfTheRestoredConfigurationFiles) {
  const auto database =
      make_database({"create schema app", "create table app.orders (id integer)"});
  restored_files.write_file(restored_files.paths().data / "postgresql.conf",
                            "search_path = 'app, public'\nmyapp.tenant = '7'\n"
                            "default_text_search_config = 'pg_catalog.german'\n"
                            "datestyle = 'german'\nstatement_timeout = 1\nwork_mem = 1\n"
                            "plperl.on_init = 'x'\n");
  EXPECT_EQ(ask("select count(*) from orders", {{"", "0"}}).verdict, Verdict::pass);
  EXPECT_EQ(ask("select current_setting('myapp.tenant')", {{"", "7"}}).verdict, Verdict::pass);
  EXPECT_EQ(ask("select to_tsvector('Häuser')", {{"", "'haus':1"}}).verdict, Verdict::pass);
  EXPECT_EQ(ask("select date '2026-11-27'", {{"", "27.11.2026"}}).verdict, Verdict::pass);
  EXPECT_EQ(ask("select current_setting('work_mem')", {{"", "4MB"}}).verdict, Verdict::pass);
  copy_cluster().execute(database, {"alter database " + database + " set myapp.tenant = '8'"});
  EXPECT_EQ(ask("select current_setting('myapp.tenant')", {{"", "8"}}).verdict, Verdict::pass);
}

TEST_F(QueryTest, IsNotAffectedByLimitsOfTheDatabase) {
  const auto database = make_database({"create table orders (id integer)"});
  for (const auto* setting :
       {"statement_timeout = 1", "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on", "idle_session_timeout = 1", "role = 'pg_monitor'",
        "session_preload_libraries = 'missing'", "lock_timeout = 1"}) {
    copy_cluster().execute("postgres",
                           {"alter database " + database + " set " + std::string(setting)});
  }
  EXPECT_EQ(ask("select count(*), pg_sleep(0.1) from orders", {{"", "0"}}).verdict, Verdict::pass);
  copy_cluster().execute("postgres", {"drop database " + database});
}

// A view runs code of its owner with the rights of whoever reads it.
TEST_F(QueryTest, RunsWithoutTheSuperusersRights) {
  make_database({"create table secrets (id integer)",
                 "create function gain() returns text language plpgsql as "
                 "$$ begin reset role; reset session authorization; "
                 "return current_setting('is_superuser'); end $$",
                 "create view trap as select gain() as gained, count(*) from secrets"});
  EXPECT_EQ(ask("select gained from trap", {{"", "off"}}).verdict, Verdict::pass);
  EXPECT_EQ(ask("select current_setting('is_superuser')", {{"", "off"}}).verdict, Verdict::pass);
  const auto outcome = ask("select pg_read_file('PG_VERSION')", {{"", "15"}});
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(outcome.findings.at(0).hint, HasSubstr("superuser"));
}

TEST_F(QueryTest, RunsAsARoleOfTheCluster) {
  const auto database = make_database({"create table mine (id integer)"});
  copy_cluster().execute(database, {"drop role if exists \"the app\"", "create role \"the app\"",
                                    "grant select on mine to \"the app\""});
  const auto as = [&](const std::string& role) {
    return run_check("query", settings_of({{"database", database},
                                           {"sql", std::string("select current_user, * from mine "
                                                               "right join (select) x on true")},
                                           {"expect", Expected{{"", role}}},
                                           {"as", role}}));
  };
  EXPECT_EQ(as("the app").verdict, Verdict::pass);
  EXPECT_EQ(as("nobody here").verdict, Verdict::fail);
}

}  // namespace
}  // namespace pgrehearse
