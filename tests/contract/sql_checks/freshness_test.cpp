#include "harness/primary/primary.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;

class FreshnessTest : public SqlCheckTest {
 protected:
  void SetUp() override {
    SqlCheckTest::SetUp();
    bench.drill_started = std::chrono::system_clock::now();
    bench.scenario.objectives.rpo = 10min;
  }
  void land(std::chrono::seconds before_the_drill) {
    bench.landing = Landing{.time = bench.drill_started - before_the_drill};
  }
};

TEST_F(FreshnessTest, AnIdlePrimaryLosesNothing) {
  primary_cluster().create_database();
  Primary primary(primary_cluster().dsn());
  const auto newest = primary.newest_commit({});
  ASSERT_TRUE(newest);
  // The drill starts an hour after the last commit, which was recovered.
  bench.drill_started = *newest + 1h;
  land(1h);
  EXPECT_EQ(run_check("freshness").verdict, Verdict::fail);
  bench.primary = &primary;
  EXPECT_EQ(run_check("freshness").verdict, Verdict::pass);
  // Half an hour before it: that half hour is lost.
  land(1h + 30min);
  const auto outcome = run_check("freshness");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_EQ(outcome.findings.at(0).details.at("measured_seconds").substr(0, 4), "1800");
}

TEST_F(FreshnessTest, AnUnreachablePrimaryLeavesTheAgeAsEvidence) {
  Primary nowhere("host=/nonexistent dbname=postgres");
  bench.primary = &nowhere;
  land(5min);
  EXPECT_EQ(run_check("freshness").verdict, Verdict::pass);
}

}  // namespace
}  // namespace pgrehearse
