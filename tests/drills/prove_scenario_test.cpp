// The fault catalogue against a user's own scenario: faults are injected into copies of the
// repository, which stays unchanged.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ProveScenario : public DrillTest {
 protected:
  fs::path write_scenario(const std::string& text) const {
    auto file = scratch / "mine.yaml";
    std::ofstream(file) << text;
    return file;
  }

  // In memory if there is enough space: on disk, pgBackRest's fsync of every file takes the time.
  void SetUp() override {
    DrillTest::SetUp();
    constexpr std::uintmax_t enough = std::uintmax_t{4} << 30U;
    std::error_code none;
    const auto available = fs::space("/dev/shm", none).available;
    directory = !none && available >= enough ? fs::path("/dev/shm") / scratch.filename()
                                             : scratch / "directory";
  }
  void TearDown() override {
    if (!HasFailure()) fs::remove_all(directory);
    DrillTest::TearDown();
  }

  DrillRun prove(const fs::path& scenario_file, std::vector<std::string> options) {
    options.insert(options.end(), {"--directory", directory});
    options.insert(options.begin(), {"prove", "--scenario", scenario_file, "--json",
                                     scratch / "score.json", "--junit", scratch / "score.xml"});
    auto run = pgrehearse(std::move(options));
    std::ifstream in(scratch / "score.json");
    score = nlohmann::json::parse(in, nullptr, false);
    return run;
  }

  // A database unlike prove's own laboratory: another name, size, backup chain and cipher.
  std::unique_ptr<Laboratory> make_production() {
    auto own = make_laboratory(
        {.stanza = "ledger-7", .compress_type = "zst", .cipher_passphrase = "of-this-test-only"});
    auto sql = own->connect("postgres", {});
    const auto fill = [&](int round) {
      sql.query("create table public.t" + std::to_string(round) +
                " as select n, md5(n::text) from generate_series(1, 30000) n");
    };
    fill(0);
    own->back_up(BackupType::full, {});
    fill(1);
    own->back_up(BackupType::differential, {});
    fill(2);
    own->back_up(BackupType::incremental, {});
    for (int round = 3; round < 7; ++round) {
      fill(round);
      own->switch_wal_and_wait({});
    }
    return own;
  }

  fs::path directory;
  nlohmann::json score;
};

TEST_F(ProveScenario, DetectsFaultsInjectedIntoCopiesOfAUsersRepository) {
  const auto own = make_production();
  const auto file = write_scenario(own->scenario_text(
      "weekly-ledger",
      "objectives: { rto: 1ms, rpo: 1ms }\n"
      "checks: [wal_continuity, backup_integrity, page_checksums, row_counts, freshness]\n"));
  const auto run =
      prove(file, {"wal-segment-missing", "wal-segment-flipped", "wal-of-backup-missing",
                   "backup-file-flipped", "manifest-damaged", "archive-info-main-damaged",
                   "wrong-passphrase", "repository-fails-during-replay", "target-in-future",
                   "timeline-from-promoted-copy", "table-dropped"});
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(score.is_object()) << run.text();
  EXPECT_EQ(score["injected"], 9) << run.text();
  EXPECT_EQ(score["detected"], 9) << run.text();
  EXPECT_EQ(score["not_applicable"], 2);
  EXPECT_EQ(score["false_alarms"], 0);
  EXPECT_THAT(run.output, HasSubstr("n/a      table-dropped"));
  const auto& original = score["original"];
  EXPECT_EQ(original["stanza"], "ledger-7");
  EXPECT_EQ(original["backups"].size(), 3U) << original;
  EXPECT_EQ(original["unchanged"], true);
  EXPECT_GT(original["files"], 900);
  // What a copy cannot be asked: objectives of a millisecond would fail every drill.
  EXPECT_EQ(original["left_out"].size(), 5U) << original["left_out"];
  EXPECT_THAT(run.output, HasSubstr("the repository is unchanged"));
  std::ifstream in(scratch / "score.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ((text + run.text()).find("of-this-test-only"), std::string::npos);
  expect_nothing_left();
}

TEST_F(ProveScenario, FaultThatNoCheckLooksForIsMissed) {
  const auto latest =
      prove(write_scenario(scenario("checks: [databases]\n")), {"timeline-from-promoted-copy"});
  EXPECT_EQ(latest.exit_code, 1) << latest.text();
  EXPECT_THAT(latest.output, HasSubstr("MISSED   timeline-from-promoted-copy"));
  EXPECT_THAT(latest.output,
              HasSubstr("the check 'wal_continuity' would report PGR-TIMELINE-PARENT-NEWER"));
}

TEST_F(ProveScenario, ChangedRepositoryDoesNotPass) {
  const auto configuration = copy_repository();
  const auto stanza = laboratory->options().stanza;
  const auto info = copied_repository() / "backup" / stanza / "backup.info";
  // Modifies the original, as a tool that writes to it would.
  const auto binary = scratch / "pgbackrest";
  std::ofstream(binary) << "#!/bin/sh\ncase \"$*\" in\n*\" restore\"*) touch '" << info.native()
                        << "' ;;\nesac\nexec pgbackrest \"$@\"\n";
  fs::permissions(binary, fs::perms(0755));
  const auto file =
      write_scenario(scenario_with(configuration, "recover_to: immediate\nchecks: [databases]\n"));
  const auto run =
      prove(file, {"stanza-misspelled", "--set", "repository.binary=" + binary.native()});
  EXPECT_EQ(run.exit_code, 2) << run.text();
  EXPECT_EQ(score["detected"], 1) << run.text();
  EXPECT_EQ(score["original"]["unchanged"], false);
  EXPECT_EQ(score["original"]["changes"],
            nlohmann::json::array({"changed: backup/" + stanza + "/backup.info"}));
  EXPECT_THAT(run.output, HasSubstr("changed: backup/" + stanza + "/backup.info"));
  EXPECT_THAT(run.error_output, HasSubstr("changed while prove was running"));
}

TEST_F(ProveScenario, NoFaultIsInjectedWhenTheScenarioFailsWithoutOne) {
  const auto file = write_scenario(
      scenario("recover_to: immediate\nchecks:\n  - query: { name: wrong, database: postgres, sql: "
               "select 1, expect: 2 }\n"));
  const auto run = prove(file, {"wal-segment-missing"});
  EXPECT_EQ(run.exit_code, 1) << run.text();
  EXPECT_THAT(run.output, HasSubstr("no fault was injected: the scenario does not pass"));
  EXPECT_EQ(score["injected"], 0);
  EXPECT_EQ(score["original"]["unchanged"], true);
}

TEST_F(ProveScenario, RepositoryThatCannotBeCopiedIsRejected) {
  EXPECT_EQ(prove(scratch / "no-such.yaml", {}).exit_code, 3);

  const auto elsewhere = scratch / "s3.conf";
  std::ofstream(elsewhere) << "[global]\nrepo1-type=s3\nrepo1-s3-bucket=b\nrepo1-s3-endpoint=e\n";
  const auto remote = prove(write_scenario(scenario_with(elsewhere, "checks: []\n")), {});
  EXPECT_EQ(remote.exit_code, 3) << remote.text();
  EXPECT_THAT(remote.error_output, HasSubstr("repo1 is of type s3"));

  const auto configuration = copy_repository();
  const auto file = write_scenario(scenario_with(configuration, "checks: []\n"));
  fs::permissions(copied_repository() / "archive", fs::perms::none);
  const auto unreadable = prove(file, {});
  EXPECT_EQ(unreadable.exit_code, 3) << unreadable.text();
  EXPECT_THAT(unreadable.error_output, HasSubstr("cannot be used"));
  fs::permissions(copied_repository() / "archive", fs::perms(0750));

  fs::remove_all(copied_repository() / "backup");
  const auto empty = prove(file, {});
  EXPECT_EQ(empty.exit_code, 3) << empty.text();

  EXPECT_EQ(pgrehearse({"prove", "--set", "timeout=1min"}).exit_code, 3);
  EXPECT_EQ(prove(file, {"--compare"}).exit_code, 3);
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
