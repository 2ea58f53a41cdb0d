#include <cstring>
#include <fstream>

#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::streamoff page_bytes = 8192;

class IndexProbeTest : public SqlCheckTest {
 protected:
  // A table with an index of each kind.
  std::string make_places() {
    return make_database(
        {"create table places (id int, name text, tags int[], words tsvector, facts jsonb, "
         "  seats int4range, spot point, area box, net inet, open bool)",
         "insert into places select n, md5(n::text), array[n, n % 7, null], "
         "  to_tsvector('simple', md5(n::text) || ' it''s \\x'), "
         "  jsonb_build_object('n', n, 'empty', '{}'::jsonb), "
         "  case when n % 50 = 0 then 'empty'::int4range else int4range(n, n + 10) end, "
         "  point(n, n % 13), box(point(n, n), point(n + 1, n + 1)), '10.0.0.0'::inet + n, "
         "  case when n % 3 = 0 then null else n % 2 = 0 end from generate_series(1, 900) n",
         "insert into places values (901, null, '{}', '', '{}', 'empty', null, null, null, "
         "null)",
         "create index by_id on places (id)",
         "create index by_open_id on places (open, id)",
         "create index by_c on places (name collate \"C\")",
         "create index hashed on places using hash (name)",
         "create index gin_tags on places using gin (tags)",
         "create index gin_words on places using gin (words)",
         "create index gin_facts on places using gin (facts)",
         "create index gin_paths on places using gin (facts jsonb_path_ops)",
         "create index gin_two on places using gin (tags, words)",
         "create index gist_seats on places using gist (seats)",
         "create index gist_spot on places using gist (spot)",
         "create index gist_net on places using gist (net inet_ops)",
         "create index gist_words on places using gist (words)",
         "create index spgist_name on places using spgist (name)",
         "create index spgist_seats on places using spgist (seats)",
         "create index spgist_area on places using spgist (area)",
         "create index brin_id on places using brin (id) with (pages_per_range = 4)",
         "create index brin_seats on places using brin (seats) with (pages_per_range = 4)",
         "create index brin_bloom on places using brin (name text_bloom_ops)",
         "create index partial on places (id) where open and id > 100",
         "alter table places add exclude using gist (area with &&) "
         "  where (id is null)",
         "vacuum analyze places"});
  }

  // In the file only: the check must not rely on the buffers.
  static void zero_page(const std::string& database, const std::string& relation,
                        std::streamoff block) {
    auto sql = copy_cluster().connect(database);
    sql.query("checkpoint");
    const auto path =
        sql.query(fmt::format("select pg_relation_filepath('{}')", relation)).text(0, 0);
    std::fstream file(copy_cluster().data() / path,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(block * page_bytes);
    file << std::string(page_bytes, '\0');
  }

  CheckOutcome probe(std::int64_t full_pages = 1000) {
    return run_check("index_probe", settings_of({{"full_pages", full_pages}}));
  }
};

TEST_F(IndexProbeTest, FindsEveryRowThroughEveryKindOfIndex) {
  make_places();
  const auto outcome = probe();
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  EXPECT_THAT(codes_and_objects(outcome), IsEmpty());
  EXPECT_THAT(outcome.summary, HasSubstr("20 indexes probed"));
}

TEST_F(IndexProbeTest, LooksUpARowOfEachPageInALargeTable) {
  make_places();
  const auto outcome = probe(1);
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
}

TEST_F(IndexProbeTest, LeavesTheCatalogUnchanged) {
  const auto database = make_places();
  probe();
  auto sql = copy_cluster().connect(database);
  EXPECT_EQ(sql.query("select count(*) from pg_index where not indisvalid").text(0, 0), "0");
  EXPECT_EQ(sql.query("select count(*) from pg_extension where extname <> 'plpgsql'").text(0, 0),
            "0");
}

TEST_F(IndexProbeTest, NamesAnIndexThatLacksRows) {
  for (const auto* const method : {"gin (tags)", "gist (seats)", "spgist (seats)", "hash (id)"}) {
    const auto database = make_database(
        {"create table places (id int, tags int[], seats int4range)",
         fmt::format("create index damaged on places using {}", method),
         "update pg_index set indisready = false where indexrelid = 'damaged'::regclass",
         "insert into places select n, array[n], int4range(n, n + 1) from generate_series(1, 9) n",
         "update pg_index set indisready = true where indexrelid = 'damaged'::regclass"});
    const auto outcome = probe();
    EXPECT_EQ(outcome.verdict, Verdict::fail) << method;
    ASSERT_THAT(codes_and_objects(outcome),
                ElementsAre("PGR-PROBE-ROW-MISSING " + database + ".public.damaged"));
    EXPECT_EQ(outcome.findings[0].details.at("missing"), "9");
    EXPECT_ANNOUNCED("index_probe", outcome);
  }
}

TEST_F(IndexProbeTest, NamesAStaleSummaryOfBrin) {
  const auto database = make_database(
      {"create table readings (id int)", "insert into readings select generate_series(1, 9)",
       "create index stale on readings using brin (id)",
       "update pg_index set indisready = false where indexrelid = 'stale'::regclass",
       "insert into readings values (4711)",
       "update pg_index set indisready = true where indexrelid = 'stale'::regclass"});
  const auto outcome = probe();
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-PROBE-ROW-MISSING " + database + ".public.stale"));
  EXPECT_EQ(outcome.findings.at(0).details.at("missing"), "1");
}

TEST_F(IndexProbeTest, NamesAnIndexWithAZeroedPage) {
  for (const auto* const method : {"gin (tags)", "spgist (name)", "gist (seats)", "brin (id)"}) {
    const auto database =
        make_database({"create table places (id int, name text, tags int[], seats int4range)",
                       "insert into places select n, md5(n::text), array[n], int4range(n, n + 1) "
                       "  from generate_series(1, 3000) n",
                       fmt::format("create index damaged on places using {}", method)});
    zero_page(database, "public.damaged", 2);
    const auto outcome = probe();
    EXPECT_EQ(outcome.verdict, Verdict::fail) << method;
    EXPECT_THAT(codes_and_objects(outcome),
                ElementsAre("PGR-PROBE-INDEX " + database + ".public.damaged"));
  }
}

// The type of a range is part of the stored value. The error has no SQLSTATE of damage, but the
// same search without the index succeeds.
TEST_F(IndexProbeTest, NamesAnIndexWithAnInvalidValue) {
  const auto original = make_database(
      {"create table places (id int, seats int4range)",
       "insert into places select n, int4range(n, n + 1) from generate_series(1, 3000) n",
       "create index damaged on places using gist (seats)"});
  auto sql = copy_cluster().connect(original);
  if (sql.query("show data_checksums").text(0, 0) == "on")
    GTEST_SKIP() << "the page has a checksum";
  sql.query("checkpoint");
  const auto path =
      copy_cluster().data() / sql.query("select pg_relation_filepath('public.damaged')").text(0, 0);
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  constexpr std::int32_t lower = 1500;
  constexpr std::int32_t int4range_oid = 3904;
  std::string value(sizeof int4range_oid + sizeof lower, '\0');
  std::memcpy(value.data(), &int4range_oid, sizeof int4range_oid);
  std::memcpy(value.data() + sizeof int4range_oid, &lower, sizeof lower);
  const auto at = bytes.find(value);
  ASSERT_NE(at, std::string::npos);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at) + 2);
  file << 'B';  // OID 4329280
  file.close();
  // The buffers still have the page: another database gets the file.
  const auto version = sql.server_version();
  sql = copy_cluster().connect("postgres");
  const auto database =
      make_database({}, "template " + original + (version >= 150000 ? " strategy file_copy" : ""));
  const auto outcome = probe();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              Contains("PGR-PROBE-INDEX " + database + ".public.damaged"));
}

// SP-GiST extends the file by pages that it does not use at once. PostgreSQL's regression database
// has such an index.
TEST_F(IndexProbeTest, AReservedPageOfSpgistIsNotDamage) {
  const auto database =
      make_database({"create table places (id int, name text)",
                     "insert into places select n, md5(n::text) from generate_series(1, 300) n",
                     "create index reserved on places using spgist (name)"});
  const auto blocks = std::stol(copy_cluster()
                                    .connect(database)
                                    .query("select pg_relation_size('public.reserved') / 8192")
                                    .text(0, 0));
  zero_page(database, "public.reserved", blocks);
  EXPECT_EQ(probe().verdict, Verdict::pass);
}

TEST_F(IndexProbeTest, NamesATableWhoseVisibilityMapIsStale) {
  const auto database =
      make_database({"create table orders (id int primary key)",
                     "insert into orders select generate_series(1, 500)", "vacuum orders"});
  const auto path =
      copy_cluster().data() / (copy_cluster()
                                   .connect(database)
                                   .query("select pg_relation_filepath('public.orders')")
                                   .text(0, 0) +
                               "_vm");
  copy_cluster().execute(database, {"checkpoint"});
  std::string before(8192, '\0');
  std::ifstream(path, std::ios::binary).read(before.data(), page_bytes);
  copy_cluster().execute(database, {"delete from orders where id < 50", "checkpoint"});
  // A database copied from files gets new buffers.
  std::ofstream(path, std::ios::in | std::ios::out | std::ios::binary) << before;
  const auto copied =
      copy_cluster().create_database("template " + database + " strategy file_copy");
  bench.databases = {copied};
  const auto outcome = probe();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              Contains("PGR-PROBE-VISIBILITY " + copied + ".public.orders"));
}

// A function that ends the statement when it is called in a session of pgrehearse.
constexpr const char* trap =
    "create function trap(int) returns int language plpgsql immutable as "
    "$$ begin if current_setting('application_name') = 'pgrehearse' then "
    "     raise exception 'the function was called'; end if; return $1; end $$";

TEST_F(IndexProbeTest, CallsNoFunctionOfTheDatabase) {
  const auto database =
      make_database({"set application_name = 'psql'", "create table orders (id int, state text)"});
  auto sql = copy_cluster().connect(database);
  for (const auto* statement :
       {"set search_path = public", "set application_name = 'psql'", trap,
        "insert into orders select n, 'x' from generate_series(1, 50) n",
        "create index by_function on orders (trap(id))",
        "create index on orders ((trap(1)))",  // evaluated by the planner
        "create index partial on orders (id) where trap(id) > 3",
        "create index every on orders (id)",
        "create operator === (leftarg = int, rightarg = int, function = int4eq)",
        "create operator class own for type int using btree as operator 1 <, operator 3 =, "
        "  function 1 btint4cmp(int, int)",
        "create index own_class on orders (id own)"}) {
    sql.query(statement);
  }
  const auto outcome = probe();
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  EXPECT_THAT(outcome.summary, HasSubstr("1 index probed with 50 lookups"));
  EXPECT_THAT(codes_and_objects(outcome),
              Contains("PGR-PROBE-UNSUPPORTED " + database + ".public.by_function"));
  EXPECT_EQ(outcome.findings.size(), 4U);
}

TEST_F(IndexProbeTest, RowsHiddenByNaNAreNotReportedAsMissing) {
  const auto database = make_database({"create table places (spot point)",
                                       "insert into places select point(n, n % 13) "
                                       "  from generate_series(1, 900) n",
                                       "insert into places values ('NaN,1')",
                                       "create index by_spot on places using gist (spot)"});
  const auto outcome = probe();
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
}

TEST_F(IndexProbeTest, ProbesIndexesOfKnownExtensions) {
  make_database(
      {"create extension pg_trgm",
       "create extension btree_gin",
       "create extension btree_gist",
       "create extension hstore",
       "create extension intarray",
       "create extension ltree",
       "create extension citext",
       "create type mood as enum ('sad', 'happy')",
       "create domain short as text",
       "create table t (n int, s short, tags int[], h hstore, p ltree, m mood, c citext)",
       "insert into t select n, 'it''s 50% _' || n, array[n], hstore('k', n::text), "
       "  ('top.n' || n)::ltree, case n % 2 when 0 then 'sad'::mood else 'happy' end, 'A' || n "
       "  from generate_series(1, 100) n",
       "insert into t (s) values ('')",
       "create index on t using gin (s gin_trgm_ops)",
       "create index on t using gist (s gist_trgm_ops)",
       "create index on t using gin (n, h)",
       "create index on t using gist (n, m)",
       "create index on t using gin (tags gin__int_ops)",
       "create index on t using gist (tags gist__int_ops)",
       "create index on t using gist (p)",
       "create index on t (c)",
       "create index on t (m) where m = 'sad'",
       "create index on t using hash (m)"});
  const auto outcome = probe();
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  EXPECT_THAT(codes_and_objects(outcome), IsEmpty());
  EXPECT_THAT(outcome.summary, HasSubstr("10 indexes probed"));
}

// It has no rows, and reading it is an error.
TEST_F(IndexProbeTest, MaterializedViewThatWasNeverRefreshedIsLeftOut) {
  make_database({"create table source as select n from generate_series(1, 10) n",
                 "create index on source (n)",
                 "create materialized view empty as select n from source with no data",
                 "create index on empty (n)"});
  const auto outcome = probe();
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  EXPECT_THAT(outcome.summary, HasSubstr("1 index probed"));
}

TEST_F(IndexProbeTest, LeavesOutWhatIsExcluded) {
  const auto database =
      make_database({"create table a (id int primary key)", "create table b (id int primary key)",
                     "insert into a values (1)", "insert into b values (1)"});
  const auto outcome = run_check(
      "index_probe", settings_of({{"tables", std::vector<std::string>{database + ".public.a"}}}));
  EXPECT_THAT(outcome.summary, HasSubstr("1 index probed"));
}

}  // namespace
}  // namespace pgrehearse
