#include "tests/contract/sql_checks/sql_check_test.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ExtensionsTest : public SqlCheckTest {};

TEST_F(ExtensionsTest, PassesWhereEveryLibraryLoads) {
  make_database({"create extension amcheck", "create extension hstore"});
  const auto outcome = run_check("extensions");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << testing::PrintToString(codes_and_objects(outcome));
  EXPECT_THAT(outcome.summary, HasSubstr("3 extensions"));
}

TEST_F(ExtensionsTest, NamesTheLibraryThatDoesNotLoadAndItsExtension) {
  const auto database = make_database({"create extension amcheck",
                                       "update pg_proc set probin = '$libdir/gone' "
                                       "where probin = '$libdir/amcheck'"});
  const auto outcome = run_check("extensions");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-EXTENSION-LIBRARY " + database + ".$libdir/gone"));
  EXPECT_THAT(outcome.findings.at(0).message, HasSubstr("extension amcheck"));
}

TEST_F(ExtensionsTest, ALibraryThatSeveralDatabasesNeedIsNamedForEach) {
  const auto make_one = [&] {
    return make_database({"create extension amcheck",
                          "update pg_proc set probin = '$libdir/gone' "
                          "where probin = '$libdir/amcheck'"});
  };
  const auto first = make_one();
  const std::vector<std::string> databases{first, make_one()};
  bench.databases = databases;
  EXPECT_THAT(codes_and_objects(run_check("extensions")),
              ElementsAre("PGR-EXTENSION-LIBRARY " + databases.at(0) + ".$libdir/gone",
                          "PGR-EXTENSION-LIBRARY " + databases.at(1) + ".$libdir/gone"));
}

TEST_F(ExtensionsTest, NamesAnExtensionWithoutAControlFile) {
  const auto database = make_database({"create extension hstore",
                                       "update pg_extension set extname = 'lost_one' "
                                       "where extname = 'hstore'"});
  const auto outcome = run_check("extensions");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-EXTENSION-VERSION " + database + ".lost_one"));
  EXPECT_EQ(outcome.findings.at(0).details.at("available"), "none");
}

TEST_F(ExtensionsTest, NamesAVersionThatThisHostDoesNotKnow) {
  const auto database = make_database({"create extension hstore",
                                       "update pg_extension set extversion = '99' "
                                       "where extname = 'hstore'"});
  const auto outcome = run_check("extensions");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-EXTENSION-VERSION " + database + ".hstore"));
  EXPECT_EQ(outcome.findings.at(0).details.at("installed"), "99");
}

TEST_F(ExtensionsTest, TakesAnOlderVersionThatCanBeUpdated) {
  make_database({"create extension hstore version '1.4'"});
  EXPECT_EQ(run_check("extensions").verdict, Verdict::pass);
}

TEST_F(ExtensionsTest, TakesALibraryThatOnlyInsistsOnBeingPreloaded) {
  const auto database = make_database({"create extension amcheck",
                                       "update pg_proc set probin = '$libdir/sepgsql' "
                                       "where probin = '$libdir/amcheck'"});
  try {
    copy_cluster().execute(database, {"load '$libdir/sepgsql'"});
  } catch (const SqlError& error) {
    const bool here = error.sqlstate() != "58P01";
    if (!require_or_skip(here ? "" : "no library here insists on it", Remedy::none)) return;
  }
  EXPECT_EQ(run_check("extensions").verdict, Verdict::pass);
}

TEST_F(ExtensionsTest, AMissingLibraryIsMissingWhateverItsName) {
  const auto database = make_database(
      {"create function f() returns int language c as '$libdir/plpgsql', 'plpgsql_call_handler'",
       "update pg_proc set probin = '$libdir/preload_helper' where proname = 'f'"});
  const auto outcome = run_check("extensions");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              testing::Contains("PGR-EXTENSION-LIBRARY " + database + ".$libdir/preload_helper"));
}

}  // namespace
}  // namespace pgrehearse
