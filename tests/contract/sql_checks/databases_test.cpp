#include <fstream>

#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DatabasesTest : public SqlCheckTest {};

TEST_F(DatabasesTest, PassesWhereAllAcceptAConnection) {
  const auto outcome = run_check("databases");
  EXPECT_EQ(outcome.verdict, Verdict::pass) << outcome.summary;
  EXPECT_THAT(outcome.summary, HasSubstr("1 not tried (datallowconn is false)"));  // template0
}

TEST_F(DatabasesTest, NamesTheOneThatAnInterruptedDropLeft) {
  const auto database = make_database({});
  copy_cluster().execute(
      "postgres", {"update pg_database set datconnlimit = -2 where datname = '" + database + "'"});
  const auto outcome = run_check("databases");
  copy_cluster().execute(
      "postgres", {"update pg_database set datconnlimit = -1 where datname = '" + database + "'"});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-DATABASE-INVALID " + database));
}

TEST_F(DatabasesTest, NamesTheOneWhoseFilesAreGone) {
  const auto database = make_database({});
  const auto oid = copy_cluster()
                       .connect("postgres")
                       .query("select oid from pg_database where datname = '" + database + "'")
                       .text(0, 0);
  const auto directory = copy_cluster().data() / "base" / oid;
  std::filesystem::rename(directory, copy_cluster().data() / "base" / "hidden");
  const auto outcome = run_check("databases");
  std::filesystem::rename(copy_cluster().data() / "base" / "hidden", directory);
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-DATABASE-CONNECT " + database));
}

TEST_F(DatabasesTest, NamesTheOneWhoseCatalogLacksBuiltInObjects) {
  const auto database =
      make_database({"delete from pg_cast where castsource = 'regclass'::regtype and casttarget = "
                     "'oid'::regtype"});
  const auto outcome = run_check("databases");
  copy_cluster().execute("postgres", {"drop database " + database});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_THAT(outcome.findings[0].message,
              HasSubstr("the system catalog of database " + database + " is damaged"));
}

}  // namespace
}  // namespace pgrehearse
