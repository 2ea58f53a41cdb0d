#include "harness/primary/primary.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class IndexesTest : public SqlCheckTest {};

TEST_F(IndexesTest, PassesWhereEveryIndexIsValidAndSaysHowMany) {
  make_database({"create table orders (id integer primary key)"});
  const auto outcome = run_check("indexes");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << outcome.summary;
  EXPECT_THAT(outcome.summary, HasSubstr("in 1 database"));
}

TEST_F(IndexesTest, NamesAnInvalidIndexAndItsTable) {
  const auto database =
      make_database({"create table orders (id integer)", "create index orders_once on orders (id)",
                     "update pg_index set indisvalid = false "
                     "where indexrelid = 'orders_once'::regclass"});
  const auto outcome = run_check("indexes");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-INDEX-INVALID " + database + ".public.orders_once"));
  EXPECT_EQ(outcome.findings.at(0).details.at("table"), database + ".public.orders");
}

TEST_F(IndexesTest, NotesWhatAFailedConcurrentBuildLeft) {
  const auto database =
      make_database({"create table orders (id integer)", "insert into orders values (1), (1)"});
  EXPECT_THROW(copy_cluster().execute(
                   database, {"create unique index concurrently orders_once on orders (id)"}),
               SqlError);
  const auto outcome = run_check("indexes");
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-INDEX-INVALID " + database + ".public.orders_once"));
}

TEST_F(IndexesTest, NotesIndexesOfCommandsInFlightAndOnOnly) {
  const auto database = make_database(
      {"create table orders (id integer)", "create index on orders (id)",
       "create index orders_id_idx_ccnew on orders (id)", "create index building on orders (id)",
       "update pg_index set indisvalid = false where indexrelid in "
       "('orders_id_idx_ccnew'::regclass, 'building'::regclass)",
       "update pg_index set indisready = false where indexrelid = 'building'::regclass",
       "create table parts (id integer) partition by range (id)",
       "create table part partition of parts for values from (0) to (9)",
       "create index parts_id on only parts (id)"});
  const auto outcome = run_check("indexes");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-INDEX-INVALID " + database + ".public.building",
                          "PGR-INDEX-INVALID " + database + ".public.orders_id_idx_ccnew",
                          "PGR-INDEX-INVALID " + database + ".public.parts_id"));
}

TEST_F(IndexesTest, NotesAnIndexThatIsAlsoInvalidOnThePrimary) {
  const auto database = make_database({"create table orders (id integer primary key)",
                                       "update pg_index set indisvalid = false "
                                       "where indexrelid = 'orders_pkey'::regclass"});
  EXPECT_EQ(run_check("indexes").verdict, Verdict::fail);
  Primary primary(copy_cluster().dsn());  // the same cluster: the same state
  bench.primary = &primary;
  const auto outcome = run_check("indexes");
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("also on the primary"));
}

TEST_F(IndexesTest, LeavesOutWhatIsExcluded) {
  const auto database = make_database({"create table orders (id integer primary key)",
                                       "update pg_index set indisvalid = false "
                                       "where indexrelid = 'orders_pkey'::regclass"});
  EXPECT_EQ(run_check("indexes").verdict, Verdict::fail);
  const auto outcome = run_check(
      "indexes", settings_of({{"exclude", std::vector<std::string>{database + ".public.*"}}}));
  EXPECT_EQ(outcome.verdict, Verdict::pass);
}

TEST_F(IndexesTest, IsUnknownWhereADatabaseCannotBeAsked) {
  const auto database = make_database({"create table orders (id integer primary key)"});
  bench.databases = {database, "no_such_database"};
  const auto outcome = run_check("indexes");
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-DATABASE-UNREADABLE no_such_database"));
}

TEST_F(IndexesTest, IsUnknownWithoutAnyDatabase) {
  EXPECT_EQ(run_check("indexes").verdict, Verdict::unknown);
}

// Its function fails for a superuser: nothing may evaluate it with such rights.
TEST_F(IndexesTest, EvaluatesIndexExpressionsWithoutTheSuperusersRights) {
  const auto database = make_database(
      {"create table names (name text)", "insert into names values ('a'), ('b')",
       "create function trap(text) returns text language plpgsql immutable as $$ begin "
       "if current_setting('is_superuser') = 'on' and "
       "current_setting('trap.armed', true) is null then raise 'superuser'; end if; "
       "return $1; end $$",
       "set trap.armed = 'off'", "create unique index names_trap on names (trap(name))"});
  const auto outcome = run_check("indexes", settings_of({{"duplicates", true}}));
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  copy_cluster().execute(database, {"update pg_index set indisunique = false "
                                    "where indexrelid = 'names_trap'::regclass",
                                    "set trap.armed = 'off'", "insert into names values ('a')",
                                    "update pg_index set indisunique = true "
                                    "where indexrelid = 'names_trap'::regclass"});
  EXPECT_THAT(codes_and_objects(run_check("indexes", settings_of({{"duplicates", true}}))),
              ElementsAre("PGR-INDEX-DUPLICATE " + database + ".public.names_trap"));
}

TEST_F(IndexesTest, OnlyALockedTableIsNotSearched) {
  const auto database = make_database(
      {"create table t (id integer primary key)", "create table u (id integer primary key)"});
  auto holder = copy_cluster().connect(database);
  holder.query("begin");
  holder.query("lock table public.t");
  const auto outcome = run_check("indexes", settings_of({{"duplicates", true}}));
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-RELATION-LOCKED " + database + ".public.t_pkey"));
}

}  // namespace
}  // namespace pgrehearse
