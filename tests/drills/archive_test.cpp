// What a drill says about archiving, the RPO, clocks and several repositories, on clusters like
// those of public bug reports.
#include <algorithm>
#include <fstream>

#include "harness/common/poll_until.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class Archive : public DrillTest {
 protected:
  void make_own(const std::string& setting = "") {
    own = make_laboratory();
    if (!setting.empty()) {
      std::ofstream(own->paths().data / "postgresql.conf", std::ios::app) << setting << '\n';
      own->stop({});
      own->start({});
    }
    sql("create table public.orders as select n from generate_series(1, 9) n");
  }
  std::string sql(const std::string& statement) {
    const auto rows = own->connect("postgres", {}).query(statement);
    return rows.rows.empty() ? std::string() : rows.text(0, 0);
  }
  DrillRun drill(const std::string& rest) {
    return run_scenario(own->scenario_text("archive", rest));
  }
  static std::size_t count(const DrillRun& run, std::string_view code) {
    const auto findings = run.findings();
    std::size_t found = 0;
    for (auto at = findings.find(code); at != std::string::npos; at = findings.find(code, at + 1)) {
      ++found;
    }
    return found;
  }

  std::unique_ptr<Laboratory> own;
};

TEST_F(Archive, ReportsSegmentsThatTheArchiverOnlyClaimsToHaveStored) {
  make_own();
  own->back_up(BackupType::full, {});
  sql("alter system set archive_command = '/bin/true'");
  own->reload({});
  sql("insert into public.orders values (10)");
  const auto segment = sql("select pg_walfile_name(pg_switch_wal())");
  ASSERT_TRUE(poll_until(
      std::chrono::steady_clock::now() + std::chrono::minutes(1), std::chrono::milliseconds(50), {},
      [&] {
        return sql("select coalesce(last_archived_wal, '') from pg_stat_archiver") == segment;
      }));
  const auto run = drill("objectives: { rpo: 1h }\nchecks: [freshness: {}, comparison: {}]\n");
  EXPECT_EQ(run.exit_code, 1) << run.text();
  ASSERT_TRUE(run.report.has_value());
  EXPECT_TRUE(std::ranges::none_of(
      run.report->phases, [](const auto& phase) { return phase.name == "recover to pause point"; }))
      << "waited for WAL that will never be archived: " << run.text();
  EXPECT_EQ(run.report->diagnosis.code, FindingCode::archive_not_stored);
  EXPECT_EQ(run.report->diagnosis.object, segment);
  EXPECT_EQ(run.report->diagnosis.likely_cause, LikelyCause::archive);
}

TEST_F(Archive, AnIdlePrimaryIsNotStaleAndAPointInThePastIsNotComparedWithToday) {
  // A commit of autovacuum would be a commit on the primary.
  make_own("track_commit_timestamp = off\nautovacuum = off");
  own->back_up(BackupType::full, {});
  sql("insert into public.orders values (10)");
  own->switch_wal_and_wait({});
  const auto target = sql("select pg_current_wal_insert_lsn()");
  own->switch_wal_and_wait({});
  sql("select pg_sleep(1.5)");
  const auto idle = drill("objectives: { rpo: 1s }\nchecks: [freshness: {}]\n");
  EXPECT_EQ(idle.exit_code, 0) << idle.text();
  EXPECT_EQ(idle.report->rpo.measured, 0.0);

  const auto rest =
      "recover_to: { lsn: " + target + " }\nchecks: [row_counts: {}, comparison: {}]\n";
  const auto same = drill(rest);
  EXPECT_EQ(same.exit_code, 0) << same.text();

  sql("delete from public.orders where n < 5");
  own->switch_wal_and_wait({});
  const auto moved_on = drill(rest);
  EXPECT_EQ(moved_on.exit_code, 2) << moved_on.text();
  EXPECT_EQ(count(moved_on, "PGR-ROWS-PAST-TARGET"), 1U) << moved_on.findings();
  EXPECT_GE(count(moved_on, "PGR-COMPARE-PAST-TARGET"), 1U) << moved_on.findings();
}

TEST_F(Archive, AnErrorThatALaterBackupRepairedAndAnEmptyRepositoryAreReportedAsWhatTheyAre) {
  make_own();
  const auto file =
      own->paths().data / sql("select pg_relation_filepath('public.orders'::regclass)");
  sql("checkpoint");
  const auto good = scratch / "good";
  own->stop({});
  fs::copy_file(file, good);
  const auto write = [&](const fs::path& from, bool damage) {
    std::ifstream in(from, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (damage) bytes.at(8000) = static_cast<char>(bytes.at(8000) ^ 0x40);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  };
  write(good, true);
  own->start({});
  const auto full = own->back_up(BackupType::full, {});
  own->stop({});
  write(good, false);
  own->start({});
  sql("update public.orders set n = n + 100");
  own->back_up(BackupType::incremental, {});
  own->switch_wal_and_wait({});
  const auto repaired = drill("checks: [backup_integrity: {}, page_checksums: {}]\n");
  EXPECT_EQ(repaired.exit_code, 0) << repaired.text();
  EXPECT_EQ(count(repaired, "PGR-BACKUP-REPAIRED " + full), 1U) << repaired.findings();

  const auto configuration = scratch / "two-repositories.conf";
  {
    std::ifstream in(own->paths().configuration);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::string key = "repo1-path=";
    text.replace(text.find(key), key.size(),
                 "repo1-path=" + (scratch / "empty").native() + "\nrepo2-path=");
    fs::create_directory(scratch / "empty");
    std::ofstream(configuration) << text;
  }
  auto text = own->scenario_text("archive", "checks: [backup_integrity: {}]\n");
  const auto original = own->paths().configuration.native();
  text.replace(text.find(original), original.size(), configuration.native());
  const auto two = run_scenario(text);
  EXPECT_EQ(two.exit_code, 1) << two.text();
  EXPECT_EQ(count(two, "PGR-REPO-EMPTY repo1"), 2U) << two.findings();
  ASSERT_NE(two.check("backup_integrity"), nullptr);
  EXPECT_NE(two.check("backup_integrity")->summary.find("repo2: pass"), std::string::npos)
      << two.check("backup_integrity")->summary;
  EXPECT_NE(two.check("backup_integrity")->summary.find("repo1: fail"), std::string::npos);
}

class Clock : public Archive {
 protected:
  static constexpr auto library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

  // The server and pgBackRest of the laboratory run two hours ahead.
  void run_ahead(const std::string& program, std::vector<std::string> arguments) {
    auto command = own->command(program, std::move(arguments));
    command.environment["LD_PRELOAD"] = library;
    // A file: PostgreSQL overwrites its environment with the title of the process.
    command.environment["FAKETIME_TIMESTAMP_FILE"] = (scratch / "faketime").native();
    const auto result = runner.run(command, {});
    ASSERT_TRUE(result.succeeded()) << result.error_output;
  }
};

TEST_F(Clock, ThatRanAheadAndWasSetBackMakesTheRpoUnknown) {
  if (!require_or_skip(fs::exists(library) ? "" : "faketime is not installed")) return;
  make_own();
  own->stop({});
  std::ofstream(scratch / "faketime") << "+2h\n";
  run_ahead(own->program("pg_ctl"), {"start", "--wait", "--pgdata", own->paths().data, "--log",
                                     own->paths().logs / "postgresql.log"});
  sql("insert into public.orders values (10)");
  run_ahead("pgbackrest", {"--config=" + own->paths().configuration.native(),
                           "--stanza=" + own->options().stanza, "--type=full", "backup"});
  sql("insert into public.orders values (11)");
  own->stop({});
  own->start({});
  const auto newest = own->back_up(BackupType::incremental, {});
  own->switch_wal_and_wait({});
  const auto run =
      drill("objectives: { rpo: 5s }\nchecks: [freshness: {}, backup_integrity: {}]\n");
  EXPECT_EQ(run.exit_code, 2) << run.text();
  ASSERT_TRUE(run.report.has_value());
  EXPECT_EQ(run.report->backup->label, newest);
  EXPECT_FALSE(run.report->rpo.measured.has_value());
  EXPECT_EQ(run.report->diagnosis.code, FindingCode::clock_wrong);
  EXPECT_EQ(count(run, "PGR-CLOCK-WRONG " + newest), 1U) << run.findings();
}

}  // namespace
}  // namespace pgrehearse
