// Damaged backups and archives: the drill fails and its diagnosis names what is damaged.
#include <algorithm>
#include <fstream>

#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class Damage : public DrillTest {
 protected:
  static void flip_byte(const fs::path& file, std::uintmax_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(stream.get() ^ 0x40);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
    ASSERT_TRUE(stream.good()) << file;
  }

  // "<segment>-<checksum>.lz4" and "<segment>.<offset>.backup" of the copy, sorted by name.
  [[nodiscard]] std::vector<fs::path> archive_files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(copied_repository() / "archive")) {
      if (entry.path().filename().native().starts_with("000000010000")) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end(), [](const auto& left, const auto& right) {
      return left.filename() < right.filename();
    });
    return files;
  }

  // Needed to replay from the last backup, but not the last segment.
  [[nodiscard]] fs::path segment_in_the_middle() const {
    const auto files = archive_files();
    const auto is_history = [](const fs::path& file) { return file.extension() == ".backup"; };
    const auto last_backup = std::find_if(files.rbegin(), files.rend(), is_history);
    const auto files_after_backup = std::distance(files.rbegin(), last_backup);
    EXPECT_GE(files_after_backup, 4);
    return files.at(files.size() - static_cast<std::size_t>(files_after_backup / 2));
  }

  // Part of the full backup and not replaced by the incremental one.
  [[nodiscard]] fs::path large_file_of_the_full_backup() const {
    const auto stanza = copied_repository() / "backup" / laboratory->options().stanza;
    const auto newest = fs::read_symlink(stanza / "latest").native();
    const auto full = stanza / newest.substr(0, newest.find('_'));
    fs::path largest;
    for (const auto& entry : fs::recursive_directory_iterator(full / "pg_data" / "base")) {
      if (!entry.is_regular_file()) continue;
      if (fs::exists(stanza / newest / entry.path().lexically_relative(full))) continue;
      if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
    }
    return largest;
  }
};

TEST_F(Damage, DeletedWalSegmentIsReported) {
  const auto configuration = copy_repository();
  const auto victim = segment_in_the_middle();
  const auto segment = victim.filename().native().substr(0, 24);
  fs::remove(victim);
  const auto run = run_scenario(scenario_with(configuration, "checks: [wal_continuity]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  ASSERT_TRUE(run.report.has_value());
  EXPECT_NE(run.findings().find(segment), std::string::npos) << segment << '\n' << run.findings();
  EXPECT_EQ(run.report->diagnosis.object, segment) << run.findings();
  EXPECT_FALSE(run.report->diagnosis.recoverable.empty());
  for (const std::string command : {"plan", "doctor"}) {
    const auto before = pgrehearse({command, scratch / "scenario.yaml"});
    EXPECT_EQ(before.exit_code, 1) << before.text();
    EXPECT_NE(before.output.find("WAL segments missing, first " + segment), std::string::npos)
        << before.text();
  }
  expect_nothing_left();
}

TEST_F(Damage, DeletedWalSegmentIsReportedWithoutTheWalContinuityCheck) {
  const auto configuration = copy_repository();
  const auto victim = segment_in_the_middle();
  fs::remove(victim);
  const auto run = run_scenario(scenario_with(configuration, "checks: [databases]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  EXPECT_NE(run.findings().find(victim.filename().native().substr(0, 24)), std::string::npos)
      << run.findings();
}

TEST_F(Damage, FlippedByteInAWalSegmentIsReported) {
  const auto configuration = copy_repository();
  const auto victim = segment_in_the_middle();
  flip_byte(victim, fs::file_size(victim) / 2);
  const auto run = run_scenario(scenario_with(configuration, "checks: [databases]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  EXPECT_NE(run.findings().find(victim.filename().native().substr(0, 24)), std::string::npos)
      << run.findings();
  expect_nothing_left();
}

TEST_F(Damage, FlippedByteInABackupFileIsReported) {
  const auto configuration = copy_repository();
  const auto victim = large_file_of_the_full_backup();
  ASSERT_FALSE(victim.empty());
  flip_byte(victim, fs::file_size(victim) / 2);
  const auto run = run_scenario(scenario_with(configuration, "checks: [backup_integrity]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  ASSERT_TRUE(run.report.has_value());
  EXPECT_NE(run.findings().find("base/" + victim.parent_path().filename().native() + "/" +
                                victim.stem().native()),
            std::string::npos)
      << victim << '\n'
      << run.findings();
  EXPECT_EQ(run.report->diagnosis.likely_cause, LikelyCause::backup);
  expect_nothing_left();
}

TEST_F(Damage, PageDamagedBeforeTheBackupIsReported) {
  auto own = make_laboratory();
  std::string file;
  {
    auto sql = own->connect("postgres", {});
    sql.query(
        "create table public.victims as select n, repeat('x', 100) t "
        "from generate_series(1, 5000) n");
    file = sql.query("select pg_relation_filepath('public.victims')").text(0, 0);
  }
  own->stop({});
  flip_byte(own->paths().data / file, 3 * 8192 + 5000);
  own->start({});
  own->back_up(BackupType::full, {});
  own->switch_wal_and_wait({});
  const auto run =
      run_scenario(own->scenario_text("heap-page", "checks: [page_checksums, backup_integrity]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  EXPECT_NE(run.findings().find("victims"), std::string::npos) << run.findings();
  expect_nothing_left();
}

TEST_F(Damage, MissingTableFileIsReported) {
  auto own = make_laboratory();
  std::string file;
  {
    auto sql = own->connect("postgres", {});
    sql.query("create table public.invoices as select generate_series(1, 5000) n");
    file = sql.query("select pg_relation_filepath('public.invoices')").text(0, 0);
  }
  own->stop({});
  fs::remove(own->paths().data / file);
  own->start({});
  own->back_up(BackupType::full, {});
  own->switch_wal_and_wait({});
  const auto run =
      run_scenario(own->scenario_text("lost-file", "checks: [amcheck: {}, row_counts: {}]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  EXPECT_NE(run.findings().find("invoices"), std::string::npos) << run.findings();
}

TEST_F(Damage, TableMissingFromTheExpectedCountsIsReported) {
  auto own = make_laboratory();
  own->connect("postgres", {})
      .query("create table public.orders as select generate_series(1, 9) n");
  own->back_up(BackupType::full, {});
  own->switch_wal_and_wait({});
  const auto counts = scratch / "counts.json";
  std::ofstream(counts) << R"({"postgres": {"public.orders": 9, "public.invoices": 5000}})";
  const auto run = run_scenario(own->scenario_text(
      "dropped-table", "checks: [row_counts: { against: " + counts.native() + " }]\n"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  ASSERT_TRUE(run.report.has_value());
  EXPECT_NE(run.report->diagnosis.object.find("public.invoices"), std::string::npos)
      << run.findings();
}

TEST_F(Damage, StoppedArchivingIsReported) {
  auto own = make_laboratory();
  {
    auto sql = own->connect("postgres", {});
    sql.query("create table public.orders as select generate_series(1, 9) n");
    own->back_up(BackupType::full, {});
    sql.query("insert into public.orders values (10)");
    own->switch_wal_and_wait({});
    sql.query("alter system set archive_command = '/bin/false'");
    own->reload({});
    sql.query("select pg_sleep(1)");
    sql.query("insert into public.orders values (11)");
    sql.query("select pg_switch_wal()");
  }
  const auto run = run_scenario(own->scenario_text("stopped-archive", R"(objectives: { rpo: 500ms }
checks: [freshness: {}, row_counts: {}]
)"));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  ASSERT_TRUE(run.report.has_value());
  EXPECT_NE(run.findings().find("PGR-FRESHNESS-OLD"), std::string::npos) << run.findings();
  EXPECT_NE(run.findings().find("public.orders"), std::string::npos) << run.findings();
  ASSERT_TRUE(run.report->rpo.measured.has_value());
  EXPECT_GE(*run.report->rpo.measured, 1.0);
  EXPECT_LT(*run.report->rpo.measured, 100.0);
}

}  // namespace
}  // namespace pgrehearse
