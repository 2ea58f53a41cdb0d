// Clusters without the names that everybody expects: no database `postgres`, no role `postgres`.
#include <fstream>

#include "harness/common/poll_until.hpp"
#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

constexpr std::string_view all_databases =
    "checks: [databases, amcheck, indexes, sequences, row_counts: { against: primary }, "
    "comparison]\n";

class Names : public DrillTest {
 protected:
  // A backup and the WAL after it, of a cluster whose only database for users is `app`.
  std::unique_ptr<Laboratory> make_app(const std::string& before_backup,
                                       const std::string& configuration) {
    auto own = make_laboratory();
    own->connect("postgres", {}).query("create database app");
    own->connect("app", {}).query(
        "create table public.orders as select n from generate_series(1, 99) n");
    // Functions belong to a database.
    own->connect("app", {}).query(
        "grant execute on function pg_switch_wal(), pg_create_restore_point(text) to pgrehearse");
    own->connect("app", {}).query(before_backup);
    std::ofstream(own->paths().configuration, std::ios::app) << configuration;
    own->back_up(BackupType::full, {});
    return own;
  }

  static std::string scenario_of(const Laboratory& own, std::string_view rest) {
    auto text = own.scenario_text("names", rest);
    const std::string postgres = "dbname=postgres";
    const auto at = text.find(postgres);
    return at == std::string::npos ? text : text.replace(at, postgres.size(), "dbname=app");
  }
};

TEST_F(Names, ClusterWithoutADatabasePostgres) {
  const auto own = make_app("drop database postgres with (force)", "pg1-database=app\n");
  const auto run = run_scenario(scenario_of(*own, all_databases));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report) << run.text();
  EXPECT_TRUE(run.report->comparison.exact) << run.report->comparison.explanation;
  expect_nothing_left();
}

TEST_F(Names, SuperuserOfAnotherNameIsStatedInTheScenario) {
  const auto own = make_app("create role boss superuser login", "");
  auto text = scenario_of(*own, "checks: [databases, amcheck]\n");
  text = text.substr(0, text.find("primary:")) +
         text.substr(text.find('\n', text.find("primary:")) + 1);
  // A session cannot rename its own user.
  auto session = own->connect("app", {});
  session.query("set session authorization boss");
  session.query("alter role postgres rename to former");
  const auto segment = session.query("select pg_walfile_name(pg_switch_wal())").text(0, 0);
  ASSERT_TRUE(poll_until(std::chrono::steady_clock::now() + std::chrono::minutes(2),
                         std::chrono::milliseconds(50), {},
                         [&] { return !own->archived_files(segment).empty(); }));
  const auto without = run_scenario(text);
  EXPECT_EQ(without.exit_code, 2) << without.text();
  EXPECT_NE(without.text().find("sandbox.superuser"), std::string::npos) << without.text();
  const auto with = run_scenario(text, {"--set", "sandbox.superuser=boss"});
  EXPECT_EQ(with.exit_code, 0) << with.text();
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
