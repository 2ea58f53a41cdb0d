#include <cstdio>
#include <fstream>

#include "harness/primary/primary.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string database_name = "rows";

// The same database on both clusters; each test starts it anew.
class RowCountsTest : public SqlCheckTest {
 protected:
  void SetUp() override {
    SqlCheckTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (auto* cluster : {&copy_cluster(), &primary_cluster()}) {
      cluster->execute("postgres", {"drop database if exists " + database_name + " with (force)",
                                    "create database " + database_name});
      cluster->execute(
          database_name,
          {"create schema sales", "create table sales.orders as select generate_series(1, 1000) id",
           "create table events (id integer, day integer) partition by list (day)",
           "create table events_1 partition of events for values in (1)",
           "create table events_2 partition of events for values in (2)",
           "insert into events select n, 1 + n % 2 from generate_series(1, 99) n",
           "create materialized view daily as select day, count(*) from events group by day",
           "create materialized view later as select 1 with no data",
           "create unlogged table scratch as select 1 as id", "create table base (id integer)",
           "create table derived () inherits (base)", "insert into derived values (1)",
           "create table \"Odd Name\" (id integer)"});
    }
    primary.emplace(primary_cluster().dsn());
    bench.primary = &*primary;
    bench.databases = {"postgres", database_name, "template1"};
  }

  // Without the databases of other tests.
  static Settings without_others(std::vector<std::string> more = {}, double tolerance = 0) {
    more.emplace_back("test_*");
    return settings_of({{"exclude", std::move(more)}, {"tolerance", tolerance}});
  }

  std::optional<Primary> primary;
};

TEST_F(RowCountsTest, PassesWhereEveryTableHoldsWhatThePrimaryHolds) {
  const auto outcome = run_check("row_counts", without_others());
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  // orders, two partitions, a view, base, derived, the odd name: 1000 + 99 + 2 + 0 + 1 + 0 rows
  EXPECT_THAT(outcome.summary, HasSubstr("7 tables (1102 rows) compared with the primary"));
  EXPECT_THAT(outcome.summary, HasSubstr("1 unlogged"));
  EXPECT_THAT(bench.progress, testing::Contains("7/7 tables of rows"));
}

TEST_F(RowCountsTest, NamesDifferentMissingAndExtraTablesWithBothNumbers) {
  copy_cluster().execute(database_name,
                         {"delete from events_2 where id <= 9", "drop table sales.orders",
                          "create table only_here as select 1 as id"});
  const auto outcome = run_check("row_counts", without_others());
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              UnorderedElementsAre("PGR-ROWS-DIFFER rows.public.events_2",
                                   "PGR-ROWS-MISSING-TABLE rows.sales.orders",
                                   "PGR-ROWS-EXTRA-TABLE rows.public.only_here"));
  for (const auto& finding : outcome.findings) {
    if (finding.code != FindingCode::rows_differ) continue;
    EXPECT_EQ(finding.details.at("expected"), "50");
    EXPECT_EQ(finding.details.at("actual"), "45");
  }
  EXPECT_ANNOUNCED("row_counts", outcome);
}

TEST_F(RowCountsTest, AllowsTheTolerance) {
  copy_cluster().execute(database_name, {"delete from sales.orders where id <= 10"});
  EXPECT_EQ(run_check("row_counts", without_others({}, 0.01)).verdict, Verdict::pass);
  EXPECT_EQ(run_check("row_counts", without_others({}, 0.009)).verdict, Verdict::fail);
}

TEST_F(RowCountsTest, NamesAMissingDatabase) {
  copy_cluster().execute("postgres", {"drop database rows"});
  bench.databases = {"postgres"};
  const auto outcome = run_check("row_counts", without_others({"template1.*"}));
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-ROWS-MISSING-DATABASE rows"));
}

TEST_F(RowCountsTest, ALockedTableMakesItUnknownAndIsNamed) {
  auto blocker = primary_cluster().connect(database_name);
  blocker.query("begin");
  blocker.query("lock table sales.orders in access exclusive mode");
  const auto outcome = run_check("row_counts", without_others());
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-ROWS-UNCOUNTED rows.sales.orders"));
  EXPECT_THAT(outcome.findings.at(0).message, HasSubstr("lock timeout"));
  EXPECT_THAT(outcome.summary, HasSubstr("6 tables"));
}

TEST_F(RowCountsTest, MissingPermissionAndRowSecurityAreNotFewerRows) {
  primary_cluster().execute(
      database_name,
      {"drop role if exists reader", "create role reader login",
       "grant select on all tables in schema public to reader",
       "grant usage on schema sales to reader", "alter table base enable row level security"});
  Primary reader(primary_cluster().dsn("reader"));
  bench.primary = &reader;
  const auto outcome = run_check("row_counts", without_others());
  primary_cluster().execute(database_name, {"drop owned by reader", "drop role reader"});
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome),
              UnorderedElementsAre("PGR-ROWS-UNCOUNTED rows.sales.orders",
                                   "PGR-ROWS-UNCOUNTED rows.public.base"));
}

TEST_F(RowCountsTest, ExcludedTablesAreNotEvenCounted) {
  auto blocker = primary_cluster().connect(database_name);
  blocker.query("begin");
  blocker.query("lock table sales.orders in access exclusive mode");
  const auto outcome = run_check("row_counts", without_others({"rows.sales.*"}));
  EXPECT_EQ(outcome.verdict, Verdict::pass);
}

TEST_F(RowCountsTest, AnUnreachablePrimaryIsUnknown) {
  Primary nowhere("host=/nonexistent dbname=postgres");
  bench.primary = &nowhere;
  const auto outcome = run_check("row_counts", without_others());
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::primary_unreachable);
}

TEST_F(RowCountsTest, IsUnknownWhenNothingWasCompared) {
  EXPECT_EQ(run_check("row_counts", without_others({"*"})).verdict, Verdict::unknown);
  bench.primary = nullptr;
  const auto outcome = run_check("row_counts", without_others());
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::rows_no_primary);
}

TEST_F(RowCountsTest, ATableThatCannotBeReadInTheCopyFails) {
  auto connection = copy_cluster().connect(database_name);
  const auto file = copy_cluster().data() /
                    connection.query("select pg_relation_filepath('sales.orders')").text(0, 0);
  connection.query("checkpoint");
  std::filesystem::remove(file);
  const auto outcome = run_check("row_counts", without_others());
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-ROWS-UNREADABLE rows.sales.orders"));
}

TEST_F(RowCountsTest, ComparesWithAFileOfEarlierCounts) {
  const auto file = std::filesystem::temp_directory_path() / "pgrehearse-row-counts-test.json";
  const auto against = [&](const std::string& text) {
    std::ofstream(file) << text;
    return run_check("row_counts",
                     settings_of({{"against", file.string()},
                                  {"exclude", std::vector<std::string>{"rows.public.*"}}}));
  };
  bench.primary = nullptr;
  EXPECT_EQ(against(R"({"rows": {"sales.orders": 1000}})").verdict, Verdict::pass);
  const auto outcome = against(R"({"rows": {"sales.orders": 999, "sales.gone": 1}})");
  std::filesystem::remove(file);
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              UnorderedElementsAre("PGR-ROWS-DIFFER rows.sales.orders",
                                   "PGR-ROWS-MISSING-TABLE rows.sales.gone"));
}

TEST_F(RowCountsTest, HoldsTablesToTheirMinimum) {
  const auto with_minimum = [&](std::map<std::string, std::string> minimum) {
    return run_check("row_counts", settings_of({{"minimum_rows", std::move(minimum)},
                                                {"exclude", std::vector<std::string>{"test_*"}}}));
  };
  EXPECT_EQ(with_minimum({{"rows.sales.orders", "1000"}}).verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(with_minimum({{"rows.sales.*", "1001"}})),
              ElementsAre("PGR-ROWS-TOO-FEW rows.sales.orders"));
  EXPECT_THAT(codes_and_objects(with_minimum({{"rows.sales.invoices", "1"}})),
              ElementsAre("PGR-ROWS-MISSING-TABLE rows.sales.invoices"));
}

// Planning a statement inlines the function of an index, and with the search_path of a restore it
// finds nothing.
TEST_F(RowCountsTest, FunctionsOfIndexesNeedNoSearchPath) {
  for (auto* cluster : {&copy_cluster(), &primary_cluster()}) {
    cluster->execute(
        database_name,
        {"create table person (name text)", "insert into person values ('a'), ('b')",
         "create function own(text) returns text language sql immutable as 'select $1'",
         "create function outer_own(text) returns text language sql immutable as "
         "'select own($1)'",
         "create index person_name on person (outer_own(name))"});
  }
  EXPECT_EQ(run_check("row_counts", without_others()).verdict, Verdict::pass);
  copy_cluster().execute(database_name, {"delete from person where name = 'b'"});
  EXPECT_THAT(codes_and_objects(run_check("row_counts", without_others())),
              ElementsAre("PGR-ROWS-DIFFER rows.public.person"));
}

TEST_F(RowCountsTest, RunsNoFunctionOfAnIndex) {
  for (auto* cluster : {&copy_cluster(), &primary_cluster()}) {
    cluster->execute(
        database_name,
        {"create table person (name text)", "insert into person values ('a'), ('b')",
         "create function trap() returns text language sql immutable as 'select $$x$$'",
         "create index person_trap on person ((name || trap()))"});
  }
  copy_cluster().execute(
      database_name, {"create or replace function trap() returns text language plpgsql immutable "
                      "as 'begin perform pg_read_file($$/nowhere$$); return $$x$$; end'"});
  EXPECT_EQ(run_check("row_counts", without_others()).verdict, Verdict::pass);
}

}  // namespace
}  // namespace pgrehearse
