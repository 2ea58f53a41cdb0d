#include "harness/primary/primary.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class IdentityTest : public SqlCheckTest {
 protected:
  void SetUp() override {
    SqlCheckTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto own = Primary(copy_cluster().dsn()).identity({});
    bench.backup.system_identifier = own.system_identifier;
    bench.backup.postgres_major = own.server_version / 10000;
  }
};

TEST_F(IdentityTest, PassesWithAndWithoutThePrimary) {
  EXPECT_EQ(run_check("identity").verdict, Verdict::pass);
  Primary same(copy_cluster().dsn());
  bench.primary = &same;
  const auto outcome = run_check("identity");
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(outcome.summary, HasSubstr("and the primary's"));
}

TEST_F(IdentityTest, AnotherClustersPrimaryFails) {
  Primary other(primary_cluster().dsn());
  bench.primary = &other;
  const auto outcome = run_check("identity");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-IDENTITY-SYSTEM " + std::to_string(bench.backup.system_identifier)));
  EXPECT_EQ(outcome.findings.at(0).details.at("expected"),
            std::to_string(other.identity({}).system_identifier));
}

TEST_F(IdentityTest, AnotherMajorVersionInTheBackupsRecordFails) {
  bench.backup.postgres_major += 1;
  const auto outcome = run_check("identity");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::identity_version);
}

TEST_F(IdentityTest, AnUnreachablePrimaryIsUnknownUnlessTheRecordFailsAlready) {
  Primary nowhere("host=/nonexistent dbname=postgres");
  bench.primary = &nowhere;
  EXPECT_EQ(run_check("identity").verdict, Verdict::unknown);
  bench.backup.system_identifier += 1;
  EXPECT_EQ(run_check("identity").verdict, Verdict::fail);
}

}  // namespace
}  // namespace pgrehearse
