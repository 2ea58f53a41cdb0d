// Intact backups: the drill passes, proves its landing, and leaves nothing behind.
#include <fstream>
#include <thread>

#include "scenarios/embedded.hpp"
#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

class Passing : public DrillTest {};

void expect_complete_report(const Report& report) {
  EXPECT_EQ(report.verdict, Verdict::pass);
  ASSERT_TRUE(report.landing.has_value());
  EXPECT_TRUE(report.landing->proved) << report.landing->proof;
  EXPECT_TRUE(report.landing->lsn.has_value());
  EXPECT_EQ(report.landing->timeline, 1U);
  EXPECT_FALSE(report.phases.empty());
  for (const auto& phase : report.phases) {
    EXPECT_TRUE(phase.completed) << phase.name;
    EXPECT_GE(phase.seconds, 0) << phase.name;
  }
  EXPECT_TRUE(report.rto.measured.has_value()) << report.rto.explanation;
  EXPECT_TRUE(report.rpo.measured.has_value()) << report.rpo.explanation;
  EXPECT_TRUE(report.sandbox.removed);
  EXPECT_TRUE(report.sandbox.remaining.empty());
}

TEST_F(Passing, DemoDrillPassesEveryCheckAndDoesNotChangeTheRepository) {
  const auto before = list_files(laboratory->paths().repository);
  // The check `comparison` asks the primary for a WAL switch, and the primary archives.
  auto text = laboratory->expand(embedded::demo_scenario_yaml, "demo");
  const std::string_view comparison = "  - comparison\n";
  text.erase(text.find(comparison), comparison.size());
  const auto run = run_scenario(text);
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report.has_value()) << run.text();
  expect_complete_report(*run.report);
  EXPECT_GE(run.report->checks.size(), 16U);
  for (const auto& check : run.report->checks) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.name << ": " << check.summary;
  }
  EXPECT_EQ(list_files(laboratory->paths().repository), before);
  expect_nothing_left();
}

TEST_F(Passing, EncryptedRepositoryWithSmallSegmentsOnARepositoryHost) {
  auto own = make_laboratory({.wal_segment_size = {1 << 20},
                              .compress_type = "gz",
                              .cipher_passphrase = "words that stay secret",
                              .repository_host = true});
  own->connect("postgres", {}).query("create table public.kept (n integer)");
  own->back_up(BackupType::full, {});
  own->connect("postgres", {}).query("insert into public.kept select generate_series(1, 20000)");
  own->back_up(BackupType::differential, {});
  own->connect("postgres", {}).query("insert into public.kept select generate_series(1, 22)");
  own->switch_wal_and_wait({});
  const auto run = run_scenario(own->scenario_text("encrypted", R"(
checks:
  - wal_continuity
  - backup_integrity
  - page_checksums
  - row_counts
  - query: { name: rows, database: postgres, sql: select count(*) from public.kept, expect: 20022 }
)"));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  EXPECT_EQ((run.output + run.error_output).find("stay secret"), std::string::npos);
  expect_nothing_left();
}

TEST_F(Passing, TwoDrillsRunAtTheSameTime) {
  const auto file = scratch / "other.yaml";
  std::ofstream(file) << scenario("checks: [databases]\n");
  DrillRun other;
  std::jthread second([&] {
    auto result = runner.run(
        {.program = PGREHEARSE_BINARY, .arguments = {"run", file, "--state", state}}, {});
    other = {.exit_code = result.exit_code, .output = result.output + result.error_output};
  });
  const auto run = run_scenario(scenario("checks: [databases]\n"));
  second.join();
  EXPECT_EQ(run.exit_code, 0) << run.text();
  EXPECT_EQ(other.exit_code, 0) << other.output;
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
