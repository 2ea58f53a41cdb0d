// One database compared with its fingerprint: a clean copy shows no difference, each single
// mutation of the copy is found and named.
#include "checks/comparison/drill_down.hpp"
#include "harness/primary/fingerprint/catalog.hpp"
#include "harness/primary/fingerprint/copied_content.hpp"
#include "harness/primary/fingerprint/relation_content.hpp"
#include "harness/primary/fingerprint/sequence_reading.hpp"
#include "tests/contract/sql_checks/comparison_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

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

// The lists of both sides are merged as they stream by.
TEST_F(ComparisonTest, ListsComeInTheOrderOfUtf8WhateverTheEncoding) {
  const auto database = make_database(
      {"set client_encoding = utf8", "create table \"亜\" ()", "create table \"ー\" ()",
       "create table \"ア\" ()", "create table \"々\" ()", "create sequence \"ーー\"",
       "create sequence \"々々\"", "create sequence \"あ\""},
      "encoding 'EUC_JP' locale 'C' template template0");
  auto connection = copy_cluster().connect(database);
  prepare_reading(connection, 0);
  std::vector<std::string> names;
  for (const auto& kind : database_catalog()) {
    if (kind.name != "table") continue;
    list_catalog(connection, kind,
                 [&](const CatalogEntry& entry) { names.push_back(entry.identity); });
  }
  EXPECT_EQ(names.size(), 7U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  const auto sequences = read_sequences(connection);
  EXPECT_EQ(sequences.size(), 3U);
  EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
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
                 {"CATALOG-MISSING table public.orders to reader"}},
        Mutation{"GrantWidened",
                 {"grant update on orders to reader"},
                 {"CATALOG-CHANGED table public.orders to reader"}},
        Mutation{"FunctionBody",
                 {"create or replace function total(customer int) returns numeric language sql as "
                  "'select sum(amount) from public.orders o where o.customer = $1 + 0'"},
                 {"CATALOG-CHANGED public.total(int4)"}},
        Mutation{"ViewDefinition",
                 {"create or replace view recent as select * from orders where placed > "
                  "'2026-01-03'"},
                 {"CATALOG-CHANGED public.recent.\"_RETURN\""}},
        Mutation{"IndexDropped",
                 {"drop index orders_customer"},
                 {"CATALOG-MISSING public.orders_customer"}},
        Mutation{"TriggerDisabled",
                 {"alter table orders disable trigger touched"},
                 {"CATALOG-CHANGED public.orders.touched"}},
        Mutation{"PolicyChanged",
                 {"alter policy own on orders using (customer = 2)"},
                 {"CATALOG-CHANGED public.orders.own"}},
        Mutation{"ConstraintDropped",
                 {"alter table returns drop constraint small"},
                 {"CATALOG-MISSING public.returns.small"}},
        Mutation{"ColumnDefault",
                 {"alter table \"Odd Name2\" alter column c set default 'y'"},
                 {"CATALOG-CHANGED public.\"Odd Name2\""}},
        Mutation{
            "EnumLabel", {"alter type color add value 'blue'"}, {"CATALOG-CHANGED public.color"}},
        Mutation{"BuiltInFunction",
                 {"update pg_proc set prosrc = prosrc || ' ' where oid = 'pg_sleep_for'::regproc"},
                 {"CATALOG-CHANGED pg_proc"}},
        Mutation{"BuiltInCast",
                 {"delete from pg_cast where castsource = 'int4'::regtype "
                  "and casttarget = 'bool'::regtype"},
                 {"CATALOG-CHANGED pg_cast"}},
        Mutation{"TableExtra", {"create table surplus (i int)"}, {"CATALOG-EXTRA public.surplus"}},
        Mutation{"TableLost", {"drop table twins"}, {"CATALOG-MISSING public.twins"}},
        Mutation{"ViewDropped",
                 {"drop view recent"},
                 {"CATALOG-MISSING public.recent", "CATALOG-MISSING public.recent.\"_RETURN\""}},
        Mutation{"OwnerChanged",
                 {"alter table twins owner to reader"},
                 {"CATALOG-CHANGED public.twins"}},
        Mutation{"CommentChanged",
                 {"comment on table orders is 'other'"},
                 {"CATALOG-CHANGED public.orders pg_class"}},
        Mutation{"SchemaExtra", {"create schema surplus"}, {"CATALOG-EXTRA surplus"}}),
    [](const auto& mutation) { return std::string(mutation.param.name); });

// Read with COPY where planning a statement would run code of the restored data.
TEST_F(ComparisonTest, ContentReadByCopyHasTheServersHash) {
  make_copy();
  auto connection = copy_cluster().connect(copy);
  prepare_reading(connection, 0);
  auto relations = list_relations(connection, [](auto&&...) { return Coverage::full; });
  std::size_t equal = 0;
  for (auto& relation : relations) {
    if (relation.coverage != Coverage::full) continue;
    auto copied = relation;
    const Sample whole;
    read_contents(connection, std::span(&relation, 1), ReadingSide::copy, whole);
    read_by_copy(connection, copied);
    if (copied.cause == Uncovered::permission) continue;
    EXPECT_EQ(relation.error, "") << relation.name;
    EXPECT_EQ(copied.rows, relation.rows) << relation.name;
    EXPECT_EQ(copied.hash, relation.hash) << relation.name;
    ++equal;
  }
  EXPECT_GE(equal, 9U);
}

// Neither can be converted to UTF-8, and SQL_ASCII holds whatever was written.
TEST_F(ComparisonTest, NamesMayBeAnyBytes) {
  for (const auto* encoding : {"SQL_ASCII", "MULE_INTERNAL"}) {
    const auto database = make_database(
        {"create table \"m\x81\xe9\" (name text)", "insert into \"m\x81\xe9\" values ('\x81\xe9')",
         "create sequence \"s\x81\xe9\"", "create view \"v\x81\xe9\" as select 1 as \"c\x81\xe9\""},
        fmt::format("encoding '{}' locale 'C' template template0", encoding));
    const Primary primary(copy_cluster().dsn());
    FingerprintRules rules;
    rules.database = [&](std::string_view name) { return name == database; };
    std::ostringstream out;
    FingerprintCapture(primary, std::move(rules), quiet_snapshots()).run(out, {}, {});
    FingerprintReader reader(std::make_unique<std::istringstream>(out.str()), "memory");
    ASSERT_TRUE(reader.seek(database));
    const auto facts = std::get<DatabaseFingerprint>(*reader.next());
    FindingList list;
    tally = {};
    compare_database(reader,
                     {.database = database,
                      .with_cluster = facts.with_cluster,
                      .sample = reader.header().sample,
                      .connect = [&] { return copy_cluster().connect(database); }},
                     list, tally, {});
    EXPECT_EQ(facts.error, "");
    for (const auto& finding : list.take()) ADD_FAILURE() << encoding << ": " << finding.message;
    EXPECT_EQ(tally.rows, 1U) << encoding;
  }
}

// The catalog lists the table, its index on names does not.
TEST_F(ComparisonTest, NamesATableThatCannotBeFoundByItsName) {
  EXPECT_THAT(
      after({"update pg_index set indisready = false "
             "where indexrelid = 'pg_class_relname_nsp_index'::regclass",
             "update pg_class set relname = 'lost' where oid = 'public.orders'::regclass",
             "update pg_class set relname = 'orders' where oid = (select indrelid from pg_index "
             "where indexrelid = 'orders_pkey'::regclass)",
             "update pg_index set indisready = true "
             "where indexrelid = 'pg_class_relname_nsp_index'::regclass"}),
      testing::Contains("UNREADABLE public.orders"));
}

}  // namespace
}  // namespace pgrehearse
