#include "tests/contract/sql_checks/sql_check_test.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;

class CollationsTest : public SqlCheckTest {};

TEST_F(CollationsTest, PassesWhereVersionsAreWhatTheyWere) {
  make_database({"select 1"});
  const auto outcome = run_check("collations");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << outcome.summary;
}

TEST_F(CollationsTest, NamesTheCollationBothVersionsAndItsIndexes) {
  const auto database =
      make_database({"create collation german (provider = icu, locale = 'de')",
                     "create table words (word text collate german primary key)",
                     "create index on words (upper(word) collate german)",
                     "update pg_collation set collversion = '1.0' where collname = 'german'"});
  const auto outcome = run_check("collations");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-COLLATION-VERSION " + database + ".public.german"));
  EXPECT_EQ(outcome.findings.at(0).details.at("recorded"), "1.0");
  EXPECT_EQ(outcome.findings.at(0).details.at("indexes"), "2");
}

TEST_F(CollationsTest, NotesACollationThatNoIndexUses) {
  const auto database =
      make_database({"create collation german (provider = icu, locale = 'de')",
                     "update pg_collation set collversion = '1.0' where collname = 'german'"});
  const auto outcome = run_check("collations");
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-COLLATION-VERSION " + database + ".public.german"));
}

TEST_F(CollationsTest, IsUnknownWhereAUsedCollationHasNoRecordedVersion) {
  const auto database =
      make_database({"create collation german (provider = icu, locale = 'de')",
                     "update pg_collation set collversion = null where collname = 'german'"});
  EXPECT_EQ(run_check("collations").verdict, Verdict::pass);
  copy_cluster().execute(database, {"create table words (word text collate german primary key)"});
  const auto outcome = run_check("collations");
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-CHECK-NOT-RUN " + database + ".public.german"));
}

TEST_F(CollationsTest, NamesTheDatabaseWhoseDefaultCollationChanged) {
  const auto database = make_database(
      {"create table words (word text primary key, n integer)", "create index on words (n)"},
      "template template0 locale_provider icu icu_locale 'de'");
  const bool recorded = copy_cluster().connect(database).server_version() >= 150000;
  if (!require_or_skip(recorded ? "" : "datcollversion needs PostgreSQL 15", Remedy::none)) return;
  EXPECT_EQ(run_check("collations").verdict, Verdict::pass);
  copy_cluster().execute(database, {"update pg_database set datcollversion = '1.0' "
                                    "where datname = current_database()"});
  const auto outcome = run_check("collations");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_THAT(codes_and_objects(outcome), ElementsAre("PGR-COLLATION-VERSION " + database));
  EXPECT_EQ(outcome.findings.at(0).details.at("indexes"), "1");
}

}  // namespace
}  // namespace pgrehearse
