// One database compared with its fingerprint: a clean copy shows no difference, each single
// mutation of the copy is found and named. A copy is made with CREATE DATABASE ... TEMPLATE, which
// keeps what a restore keeps: object ids, files and transaction ids.
#include <fmt/format.h>

#include <sstream>

#include "checks/database_comparison.hpp"
#include "checks/drill_down.hpp"
#include "harness/primary/plain_snapshots.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::initializer_list<std::string> schema{
    "create table orders (id bigint primary key, customer int, amount numeric(10,2), "
    "  note text, placed timestamptz, tags text[])",
    "insert into orders select g, g % 100, g * 1.10, repeat('note ' || g, g % 5), "
    "  timestamptz '2026-01-01' + g * interval '1 min', array['a', g::text] "
    "  from generate_series(1, 5000) g",
    "create table returns (like orders including all)",
    "insert into returns select g + 100000, g, 1, 'x', '2026-01-01', '{}' from generate_series(1, "
    "50) g",
    "create table twins (a int, b text)",
    "insert into twins select 1, 'same' from generate_series(1, 10)",
    "create table \"Odd Name\" (t int, \"T\" text, doubled int generated always as (t * 2) stored, "
    "  gone int, document json, place point, acl aclitem)",
    "alter table \"Odd Name\" drop column gone",
    "insert into \"Odd Name\" values (1, 'x', default, '{\"a\": 1}', '(1,2)', "
    "'postgres=r/postgres')",
    "create table nothing ()",
    "insert into nothing default values",
    "create table parted (id int, v text) partition by range (id)",
    "create table parted_low partition of parted for values from (0) to (100)",
    "create table parted_high partition of parted for values from (100) to (200)",
    "insert into parted select g, 'v' || g from generate_series(0, 199) g",
    "create table parent (i int)",
    "create table child (j int) inherits (parent)",
    "insert into parent values (1)",
    "insert into child values (2, 3)",
    "create unlogged table scratch (i int)",
    "insert into scratch values (1)",
    "create table large (id int, v text)",
    "alter table large alter column v set storage external",
    "insert into large select 1, string_agg(md5(g::text), '') from generate_series(1, 3000) g",
    "create table \"Odd Name2\" (c varchar(10) not null default 'x')",
    "create materialized view summary as select customer, sum(amount) from orders group by 1",
    "create materialized view unfilled as select 1 as one with no data",
    "create view recent as select * from orders where placed > '2026-01-02'",
    "create sequence numbers cache 5",
    "select nextval('numbers') from generate_series(1, 40)",
    "create sequence untouched",
    "create function total(customer int) returns numeric language sql as "
    "  'select sum(amount) from public.orders o where o.customer = $1'",
    "create function touch() returns trigger language plpgsql as 'begin return new; end'",
    "create trigger touched before update on orders for each row execute function touch()",
    "create type colour as enum ('red', 'green')",
    "create domain positive as int check (value > 0)",
    "alter table orders enable row level security",
    "create policy own on orders using (customer = 1)",
    "create index orders_customer on orders (customer)",
    "alter table returns add constraint small check (amount < 1000)",
    "comment on table orders is 'what was ordered'",
    "select lo_from_bytea(4711, 'a large object')",
    "analyze"};

// Nobody writes here: any point is exact.
FingerprintCapture::TakeSnapshots quiet_snapshots(const Primary& primary) {
  return [take = plain_snapshots(primary)](const std::vector<std::string>& databases,
                                           const std::stop_token& stop) {
    auto snapshots = take(databases, stop);
    for (auto& snapshot : snapshots) snapshot.facts.exact = true;
    return snapshots;
  };
}

class ComparisonTest : public SqlCheckTest {
 protected:
  static void SetUpTestSuite() {
    if (!ThrowawayCluster::available()) return;
    original = copy_cluster().create_database();
    copy_cluster().execute(original, schema);
    copy_cluster().execute("postgres", {"create role reader login"});
    copy_cluster().execute(original, {"grant select on orders to reader"});
    fingerprint = take();
  }
  static void TearDownTestSuite() {
    if (!ThrowawayCluster::available()) return;
    copy_cluster().execute("postgres", {"drop database " + original, "drop role reader"});
  }

  static std::string take(const std::string& user = "postgres", FingerprintRules rules = {}) {
    const Primary primary(copy_cluster().dsn(user));
    rules.database = [](std::string_view name) { return name == original; };
    const FingerprintCapture capture(primary, std::move(rules), quiet_snapshots(primary));
    std::ostringstream out;
    capture.run(out, {}, {});
    return out.str();
  }

  std::string make_copy() {
    copy = fmt::format("copy_{}", ++copies);
    copy_cluster()
        .connect("postgres")
        .query(fmt::format("create database {} template {}", copy, original));
    return copy;
  }
  void TearDown() override {
    if (!copy.empty()) copy_cluster().execute("postgres", {"drop database " + copy});
  }

  // "PGR-COMPARE-CONTENT test_1.public.orders", without the database.
  std::vector<std::string> compare(const std::string& with = fingerprint) {
    FingerprintReader reader(std::make_unique<std::istringstream>(with), "memory");
    EXPECT_TRUE(reader.seek(original));
    auto facts = std::get<DatabaseFingerprint>(*reader.next());
    FindingList list;
    tally = {};
    const DatabaseComparison comparison{
        .database = original,
        .sample = reader.header().sample,
        .connect = [this] { return copy_cluster().connect(copy); },
    };
    compare_database(reader, facts, comparison, list, tally, {});
    findings = list.take();
    std::vector<std::string> texts;
    for (const auto& finding : findings) {
      auto object = finding.object;
      if (object.starts_with(original + ".")) object = object.substr(original.size() + 1);
      // The cluster is the copy's own: its list of databases differs by the copy itself.
      if (object.starts_with("copy_")) continue;
      texts.push_back(finding.code.substr(std::string("PGR-COMPARE-").size()) + " " + object);
    }
    return texts;
  }

  // Makes a copy, changes it, and compares.
  std::vector<std::string> after(std::initializer_list<std::string> mutations) {
    make_copy();
    copy_cluster().execute(copy, mutations);
    return compare();
  }

  inline static std::string original;
  inline static std::string fingerprint;
  inline static int copies = 0;
  std::string copy;
  std::vector<Finding> findings;
  ComparisonTally tally;
};

TEST_F(ComparisonTest, ACleanCopyShowsNoDifference) {
  make_copy();
  EXPECT_THAT(compare(), IsEmpty());
  EXPECT_EQ(tally.gaps, 0U);
  EXPECT_EQ(tally.rewritten, 0U);
  EXPECT_EQ(tally.sequences, 2U);
  EXPECT_EQ(tally.by_choice["unlogged"], 1U);
  EXPECT_EQ(tally.by_choice["unpopulated"], 1U);
  // 5000 + 50 + 10 + 1 + 1 + 200 + 1 + 1 + 1 rows of tables, 100 of the view, 1 + 1 of large
  // objects
  EXPECT_EQ(tally.rows, 5367U);
}

// Of the relation's difference, in the order missing, extra, changed.
class DrillDownTest : public ComparisonTest {
 protected:
  DifferingKeys keys_of(const std::string& relation, std::size_t most_keys = 20,
                        RelationContent content = {}) {
    auto primary = copy_cluster().connect(original);
    primary.query("begin isolation level repeatable read read only");
    auto restored = copy_cluster().connect(copy);
    content.name = relation;
    content.oid = static_cast<std::uint32_t>(
        std::stoul(primary.query("select '" + relation + "'::regclass::oid").text(0, 0)));
    return find_differing_keys(primary, restored, content, {}, most_keys);
  }
};

TEST_F(DrillDownTest, FindsTheKeysThatDiffer) {
  make_copy();
  copy_cluster().execute(copy, {"update orders set amount = 0 where id in (77, 4000)",
                                "delete from orders where id = 2500",
                                "insert into orders select 9000, customer, amount, note, placed, "
                                "tags from orders where id = 1"});
  const auto keys = keys_of("public.orders");
  EXPECT_EQ(keys.columns, "id");
  EXPECT_THAT(keys.missing, ElementsAre("(2500)"));
  EXPECT_THAT(keys.extra, ElementsAre("(9000)"));
  EXPECT_THAT(keys.changed, UnorderedElementsAre("(77)", "(4000)"));
  EXPECT_TRUE(keys.all);
}

TEST_F(DrillDownTest, ARowThatMovedIsNoDifference) {
  make_copy();
  copy_cluster().execute(copy, {"update orders set customer = customer where id = 50",
                                "update orders set customer = 7 where id = 60"});
  const auto keys = keys_of("public.orders");
  EXPECT_THAT(keys.changed, ElementsAre("(60)"));
  EXPECT_THAT(keys.missing, IsEmpty());
}

TEST_F(DrillDownTest, ShowsNoMoreThanAsked) {
  make_copy();
  copy_cluster().execute(copy, {"delete from orders where id % 2 = 0"});
  const auto keys = keys_of("public.orders", 5);
  EXPECT_EQ(keys.missing.size(), 5U);
  EXPECT_FALSE(keys.all);
}

TEST_F(DrillDownTest, ATableWithoutAKeyIsSearchedByPlace) {
  make_copy();
  copy_cluster().execute(copy, {"update twins set b = 'other' where ctid = '(0,3)'"});
  const auto keys = keys_of("public.twins");
  EXPECT_EQ(keys.columns, "ctid");
  EXPECT_THAT(keys.missing, ElementsAre("(\"(0,3)\")"));
  EXPECT_EQ(keys.extra.size(), 1U);
}

struct Mutation {
  const char* name;
  std::vector<std::string> statements;
  std::vector<std::string> found;
};

void PrintTo(const Mutation& mutation, std::ostream* out) { *out << mutation.name; }

class MutationTest : public ComparisonTest, public testing::WithParamInterface<Mutation> {};

TEST_P(MutationTest, IsFoundAndNamed) {
  make_copy();
  copy_cluster().execute(copy, GetParam().statements);
  EXPECT_THAT(compare(), testing::UnorderedElementsAreArray(GetParam().found));
}

INSTANTIATE_TEST_SUITE_P(
    Each, MutationTest,
    testing::Values(
        Mutation{"RowChanged",
                 {"update orders set amount = amount + 0.01 where id = 77"},
                 {"CONTENT public.orders"}},
        Mutation{"RowDeleted", {"delete from orders where id = 1"}, {"ROWS-MISSING public.orders"}},
        Mutation{"RowAdded", {"insert into twins values (1, 'same')"}, {"ROWS-EXTRA public.twins"}},
        Mutation{"RowsSwapped",
                 {"with a as (delete from orders where id = 5 returning *), b as (delete from "
                  "returns where id = 100005 returning *), c as (insert into returns select * from "
                  "a) insert into orders select * from b"},
                 {"CONTENT public.orders", "CONTENT public.returns"}},
        Mutation{"ByteChanged",
                 {"update orders set note = overlay(note placing 'M' from 1) where id = 4999"},
                 {"CONTENT public.orders"}},
        Mutation{"ScaleChanged",
                 {"update \"Odd Name\" set document = '{\"a\":1}'"},
                 {"CONTENT public.\"Odd Name\""}},
        Mutation{"NullBecameEmpty",
                 {"update orders set note = null where id = 5"},
                 {"CONTENT public.orders"}},
        Mutation{"PairOfTwins",
                 {"update twins set b = 'other' where ctid in ('(0,1)', '(0,2)')"},
                 {"CONTENT public.twins"}},
        Mutation{"ToastedValue",
                 {"update large set v = overlay(v placing 'x' from 90000)"},
                 {"CONTENT public.large"}},
        Mutation{"Partition",
                 {"update parted set v = 'w' where id = 150"},
                 {"CONTENT public.parted_high"}},
        Mutation{"Child", {"update child set j = 4"}, {"CONTENT public.child"}},
        Mutation{"MaterializedView",
                 {"update orders set amount = 0 where id = 1", "refresh materialized view summary",
                  "update orders set amount = 1.10 where id = 1"},
                 {"CONTENT public.summary"}},
        Mutation{
            "LargeObject", {"select lo_put(4711, 2, 'L')"}, {"CONTENT pg_catalog.pg_largeobject"}},
        Mutation{"LargeObjectOwner",
                 {"grant select on large object 4711 to reader"},
                 {"CONTENT pg_catalog.pg_largeobject_metadata"}},
        Mutation{"SequenceBehind", {"select setval('numbers', 3)"}, {"SEQUENCE public.numbers"}},
        Mutation{"SequenceAhead", {"select nextval('untouched')"}, {"SEQUENCE public.untouched"}}),
    [](const auto& mutation) { return std::string(mutation.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Catalogue, MutationTest,
    testing::Values(
        Mutation{"GrantLost",
                 {"revoke select on orders from reader"},
                 {"CATALOGUE-MISSING table public.orders to reader"}},
        Mutation{"GrantWidened",
                 {"grant update on orders to reader"},
                 {"CATALOGUE-CHANGED table public.orders to reader"}},
        Mutation{"FunctionBody",
                 {"create or replace function total(customer int) returns numeric language sql as "
                  "'select sum(amount) from public.orders o where o.customer = $1 + 0'"},
                 {"CATALOGUE-CHANGED public.total(int4)"}},
        Mutation{"ViewDefinition",
                 {"create or replace view recent as select * from orders where placed > "
                  "'2026-01-03'"},
                 {"CATALOGUE-CHANGED public.recent.\"_RETURN\""}},
        Mutation{"IndexDropped",
                 {"drop index orders_customer"},
                 {"CATALOGUE-MISSING public.orders_customer"}},
        Mutation{"TriggerDisabled",
                 {"alter table orders disable trigger touched"},
                 {"CATALOGUE-CHANGED public.orders.touched"}},
        Mutation{"PolicyChanged",
                 {"alter policy own on orders using (customer = 2)"},
                 {"CATALOGUE-CHANGED public.orders.own"}},
        Mutation{"ConstraintDropped",
                 {"alter table returns drop constraint small"},
                 {"CATALOGUE-MISSING public.returns.small"}},
        Mutation{"ColumnDefault",
                 {"alter table \"Odd Name2\" alter column c set default 'y'"},
                 {"CATALOGUE-CHANGED public.\"Odd Name2\""}},
        Mutation{"EnumLabel",
                 {"alter type colour add value 'blue'"},
                 {"CATALOGUE-CHANGED public.colour"}},
        Mutation{
            "TableExtra", {"create table surplus (i int)"}, {"CATALOGUE-EXTRA public.surplus"}},
        Mutation{"TableLost", {"drop table twins"}, {"CATALOGUE-MISSING public.twins"}},
        Mutation{
            "ViewDropped",
            {"drop view recent"},
            {"CATALOGUE-MISSING public.recent", "CATALOGUE-MISSING public.recent.\"_RETURN\""}},
        Mutation{"OwnerChanged",
                 {"alter table twins owner to reader"},
                 {"CATALOGUE-CHANGED public.twins"}},
        Mutation{"CommentChanged",
                 {"comment on table orders is 'other'"},
                 {"CATALOGUE-CHANGED public.orders pg_class"}},
        Mutation{"SchemaExtra", {"create schema surplus"}, {"CATALOGUE-EXTRA surplus"}}),
    [](const auto& mutation) { return std::string(mutation.param.name); });

}  // namespace
}  // namespace pgrehearse
