#include <thread>

#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AmcheckTest : public SqlCheckTest {
 protected:
  // A table of which an index expression needs a search_path.
  std::string make_person(const std::string& owner = "postgres") {
    return make_database({"create table person (name text)",
                          "insert into person select 'n' || n from generate_series(1, 100) n",
                          "alter table person owner to " + owner,
                          "create function own(text) returns text language sql immutable as "
                          "'select lower($1)'",
                          "create function outer_own(text) returns text language sql immutable as "
                          "'select own($1)'",
                          "create index person_name on person (outer_own(name))"});
  }
};

TEST_F(AmcheckTest, FunctionsOfIndexesMayNeedASearchPath) {
  make_person();
  const auto outcome = run_check("amcheck");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  EXPECT_THAT(codes_and_objects(outcome), IsEmpty());
}

TEST_F(AmcheckTest, AnIndexThatLacksARowIsStillFound) {
  const auto database = make_person();
  copy_cluster().execute(
      database,
      {"update pg_index set indisready = false where indexrelid = 'person_name'::regclass",
       "insert into person values ('unseen')",
       "update pg_index set indisready = true where indexrelid = 'person_name'::regclass"});
  const auto outcome = run_check("amcheck");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-AMCHECK-INDEX " + database + ".public.person_name"));
}

// Whoever may create objects in the search_path could replace a function that a superuser runs.
TEST_F(AmcheckTest, OnlyTheStructureIsCheckedWhereTheSearchPathIsOpen) {
  const auto database = make_person();
  copy_cluster().execute("postgres", {"drop role if exists guest", "create role guest"});
  copy_cluster().execute(database, {"grant create on schema public to guest"});
  const auto outcome = run_check("amcheck");
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].severity, Severity::note);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("only the structure"));
}

TEST_F(AmcheckTest, AnOldVersionOfTheExtensionIsUpdated) {
  make_database({"create extension amcheck version '1.2'",
                 "create table t (id integer primary key)", "insert into t values (1)"});
  const auto outcome = run_check("amcheck");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
}

TEST_F(AmcheckTest, IsNotAffectedBySettingsOfTheDatabase) {
  const auto database = make_database({"create table t (id integer primary key)"});
  for (const auto* setting :
       {"default_transaction_isolation = 'serializable'", "statement_timeout = 1",
        "default_transaction_read_only = on", "role = 'pg_monitor'", "search_path = 'nowhere'",
        "session_preload_libraries = 'missing'", "client_encoding = 'latin1'"}) {
    copy_cluster().execute("postgres",
                           {"alter database " + database + " set " + std::string(setting)});
  }
  const auto outcome = run_check("amcheck");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  copy_cluster().execute("postgres", {"drop database " + database});
}

TEST_F(AmcheckTest, ALockOfAPreparedTransactionIsNamed) {
  const auto database = make_database(
      {"create table t (id integer)", "create table u (id integer)", "create extension amcheck"});
  auto connection = copy_cluster().connect(database);
  connection.query("begin");
  connection.query("alter table public.t add c integer");
  connection.query("prepare transaction 'orphan'");
  const auto outcome = run_check("amcheck", settings_of({{"parent_check", true}}));
  connection.query("rollback prepared 'orphan'");
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-RELATION-LOCKED " + database + ".public.t",
                          "PGR-PREPARED-TRANSACTION orphan"));
  EXPECT_THAT(outcome.findings.at(0).message, HasSubstr("'orphan' of postgres"));
}

// As `index_probe` holds them, which runs at the same time.
TEST_F(AmcheckTest, ALockThatIsReleasedIsWaitedFor) {
  const auto database =
      make_database({"create table t (id integer primary key)", "create extension amcheck"});
  auto connection = copy_cluster().connect(database);
  connection.query("begin");
  connection.query("lock table public.t in row exclusive mode");
  const std::jthread release([&] {
    connection.query("select pg_sleep(7)");
    connection.query("commit");
  });
  const auto outcome = run_check("amcheck", settings_of({{"parent_check", true}}));
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
}

}  // namespace
}  // namespace pgrehearse
