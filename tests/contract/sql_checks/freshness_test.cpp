#include <utility>

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
    bench.connect = [](const std::string&) { return primary_cluster().connect("postgres"); };
  }
  void land(std::chrono::seconds before_the_drill) {
    bench.landing = Landing{.timeline = 1, .time = bench.drill_started - before_the_drill};
  }
  // As when the drill started; the copy is the primary itself.
  void read(const Primary& primary) {
    bench.primary_at_start = primary.identity({});
    bench.state_at_start = read_primary_state(primary, {});
    bench.backup.system_identifier = bench.primary_at_start->system_identifier;
    ASSERT_TRUE(bench.state_at_start->newest_commit);
  }
};

TEST_F(FreshnessTest, AnIdlePrimaryLosesNothing) {
  primary_cluster().create_database();
  Primary primary(primary_cluster().dsn());
  read(primary);
  // The drill starts an hour after the last commit, which was recovered.
  bench.drill_started = *bench.state_at_start->newest_commit + 1h;
  land(1h);
  const auto state = std::exchange(bench.state_at_start, std::nullopt);
  EXPECT_EQ(run_check("freshness").verdict, Verdict::fail);
  bench.primary = &primary;
  bench.state_at_start = state;
  EXPECT_EQ(run_check("freshness").verdict, Verdict::pass);
}

TEST_F(FreshnessTest, ACommitThatDidNotComeBackIsLost) {
  auto copy = primary_cluster().connect("postgres");
  copy.query("begin isolation level repeatable read");
  copy.query("select txid_current_snapshot()");
  bench.connect = [&](const std::string&) { return std::move(copy); };
  primary_cluster().create_database();
  Primary primary(primary_cluster().dsn());
  bench.primary = &primary;
  read(primary);
  bench.drill_started = *bench.state_at_start->newest_commit + 1h;
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
