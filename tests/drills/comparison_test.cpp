// The exact comparison and the recovery target: a snapshot after the target, and one before it.
#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

class Comparison : public DrillTest {
 protected:
  std::unique_ptr<Laboratory> make_small_shop(LaboratoryOptions options = {}) {
    options.wal_segment_size = {1 << 20};
    auto own = make_laboratory(options);
    own->connect("postgres", {})
        .query(
            "create table public.kept as select n, 'row ' || n note from generate_series(1, 2000) "
            "n");
    own->back_up(BackupType::full, {});
    own->connect("postgres", {}).query("insert into public.kept values (2001, 'late')");
    own->switch_wal_and_wait({});
    return own;
  }
};

// On a laboratory of its own: the check asks the primary for a WAL switch.
TEST_F(Comparison, TargetBeforeTheSnapshotIsNotCompared) {
  auto own = make_small_shop();
  const auto run =
      run_scenario(own->scenario_text("past", "recover_to: immediate\nchecks: [comparison]\n"));
  EXPECT_EQ(run.exit_code, 2) << run.text();
  ASSERT_NE(run.check("comparison"), nullptr) << run.text();
  EXPECT_EQ(run.check("comparison")->verdict, Verdict::unknown);
  EXPECT_NE(run.findings().find("PGR-COMPARE-PAST-TARGET"), std::string::npos) << run.findings();
  EXPECT_FALSE(run.report->comparison.exact);
  expect_nothing_left();
}

// Nothing is committed between its candidates or after them.
TEST_F(Comparison, ComparisonWithAnIdlePrimaryIsExact) {
  auto own = make_small_shop({});
  const auto run = run_scenario(own->scenario_text("idle", "checks: [comparison]\n"));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report.has_value()) << run.text();
  EXPECT_TRUE(run.report->comparison.exact) << run.report->comparison.explanation;
  EXPECT_EQ(run.report->comparison.method, "candidates");
  expect_nothing_left();
}

// Recovery pauses at the fingerprint's position and has to be restarted to reach its own target.
TEST_F(Comparison, FingerprintIsComparedOnTheWayToALaterTarget) {
  auto own = make_small_shop({.wal_level = "logical"});
  const auto file = scratch / "shop.fingerprint";
  const auto taken =
      pgrehearse({"fingerprint", "--primary", own->dsn("postgres"), "--to", file, "--quiet"});
  ASSERT_EQ(taken.exit_code, 0) << taken.text();
  auto sql = own->connect("postgres", {});
  sql.query("delete from public.kept where n > 1000");
  const auto later = sql.query("select pg_create_restore_point('later')").text(0, 0);
  sql.query("delete from public.kept");
  own->switch_wal_and_wait({});

  const auto run = run_scenario(
      own->scenario_text("met", "recover_to: { lsn: " + later +
                                    " }\nchecks:\n"
                                    "  - comparison: { against: " +
                                    file.native() +
                                    " }\n"
                                    "  - query: { name: rows, database: postgres, sql: "
                                    "select count(*) from public.kept, expect: 1000 }\n"));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report.has_value()) << run.text();
  EXPECT_TRUE(run.report->comparison.exact) << run.report->comparison.explanation;
  EXPECT_EQ(run.report->comparison.method, "slot");
  ASSERT_TRUE(run.report->landing.has_value());
  EXPECT_TRUE(run.report->landing->proved) << run.report->landing->proof;
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
