// Plain PostgreSQL and Barman instead of pgBackRest: the promises of a repository, the same drill
// with the same landing, and faults that must be detected.
#include <fmt/format.h>

#include <fstream>

#include "harness/postgres/binaries.hpp"
#include "harness/repository/barman/barman_repository.hpp"
#include "harness/repository/basebackup/basebackup_repository.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/local/local_provisioner.hpp"
#include "tests/contract/repository_promises.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/stores/secret_search.hpp"
#include "tests/stores/tool_laboratory.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class OtherTools : public DrillTest {
 protected:
  static void SetUpTestSuite() {
    if (!missing().empty()) return;
    scratch_of_all_ = make_scratch_directory("tools");
    all_ = std::make_unique<ToolLaboratory>(scratch_of_all_, runner_of_all_);
  }
  static void TearDownTestSuite() {
    all_.reset();
    if (!scratch_of_all_.empty()) fs::remove_all(scratch_of_all_);
  }
  static std::string missing() {
    return fs::exists("/usr/bin/barman") ? "" : "barman is not installed";
  }

  void SetUp() override {
    if (!require_or_skip(missing())) return;
    DrillTest::SetUp();
    if (IsSkipped()) return;
    // Faults are injected into copies that the account of the drill can read.
    own_ = scratch / "own";
    make_private_directory(own_, all_->laboratory().account());
  }

  // `repository`: YAML in braces.
  static std::string drill(const std::string& repository, std::string_view rest) {
    return fmt::format("name: tool\nrepository: {}\nsandbox: {{ type: local, run_as: {} }}\n{}",
                       repository, all_->laboratory().account().name, rest);
  }
  static std::string basebackup(const std::string& backup, const fs::path& base,
                                const fs::path& archive, const std::string& more = {}) {
    return fmt::format("{{ type: basebackup, path: {}, archive: {}, backup: {}{} }}", base.native(),
                       archive.native(), backup, more);
  }
  static std::string barman(const fs::path& configuration) {
    return fmt::format("{{ type: barman, server: main, config: {} }}", configuration.native());
  }
  // The configuration for a copy of Barman's directory.
  fs::path copy_barman() {
    run_as_owner("cp", {"-a", all_->barman_home().native(), (own_ / "barman").native()});
    auto text = read(all_->barman());
    const auto original = all_->barman_home().native();
    text.replace(text.find(original), original.size(), (own_ / "barman").native());
    std::ofstream(scratch / "barman.conf") << text;
    fs::permissions(scratch / "barman.conf", fs::perms(0644));
    return scratch / "barman.conf";
  }
  void run_as_owner(const std::string& program, std::vector<std::string> arguments) {
    all_->run(program, std::move(arguments));
  }
  static std::string read(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  void expect_newest_transaction(const DrillRun& run) {
    EXPECT_EQ(run.exit_code, 0) << run.text();
    ASSERT_TRUE(run.report) << run.text();
    EXPECT_EQ(run.report->verdict, Verdict::pass) << run.findings();
    ASSERT_TRUE(run.report->landing && run.report->landing->last_applied) << run.text();
    EXPECT_TRUE(run.report->landing->proved) << run.report->landing->proof;
    EXPECT_EQ(std::to_string(run.report->landing->last_applied->xid), all_->newest_transaction());
    expect_nothing_left();
  }

  std::unique_ptr<BackupRepository> open_plain() {
    return std::make_unique<BaseBackupRepository>(RepositorySpec{.type = "basebackup",
                                                                 .stanza = "base",
                                                                 .path = all_->base(),
                                                                 .archive = all_->archive()},
                                                  runner, all_->laboratory().account());
  }
  std::unique_ptr<BackupRepository> open_barman() {
    const auto directory = own_ / "files";
    make_private_directory(directory, all_->laboratory().account());
    return std::make_unique<BarmanRepository>(RepositorySpec{.type = "barman",
                                                             .stanza = "main",
                                                             .configuration = all_->barman(),
                                                             .binary = "barman"},
                                              runner, all_->laboratory().account(), directory);
  }
  void expect_promises(BackupRepository& repository, const std::vector<BackupType>& types) {
    expect_lists_backups_oldest_first(repository, types);
    expect_lists_the_archive(repository);
    LocalProvisioner provisioner(runner, state);
    const auto sandbox = provisioner.create({.run_id = "contract",
                                             .scenario = "contract",
                                             .type = "local",
                                             .postgres_major = installed_majors().back()},
                                            {});
    expect_restores_and_fetches_wal(repository, *sandbox);
    expect_interruptible(repository, *sandbox);
    EXPECT_TRUE(repository.verify(repository.list({}).backups.front(), {}).ok);
    EXPECT_TRUE(sandbox->destroy().complete());
  }

  static constexpr std::string_view checks = R"(recover_to: latest
checks:
  - backups: { max_age: 1d }
  - backup_integrity: { verify: false }
  - databases
  - identity
  - landing
  - wal_continuity
  - page_checksums
  - query: { name: newest row, database: postgres, sql: "select count(*) from orders where id = 0", expect: 1 }
  - query: { name: tablespace, database: postgres, sql: "select count(*) from lines", expect: 20000 }
)";

  static inline BoostCommandRunner runner_of_all_;
  static inline fs::path scratch_of_all_;
  static inline std::unique_ptr<ToolLaboratory> all_;
  fs::path own_;
};

TEST_F(OtherTools, PlainPostgresKeepsThePromisesOfARepository) {
  // The newest is in tar format, the older one in plain format.
  expect_promises(*open_plain(), {BackupType::full, BackupType::full});
}

TEST_F(OtherTools, BarmanKeepsThePromisesOfARepository) {
  expect_promises(*open_barman(), {BackupType::full});
}

TEST_F(OtherTools, EachLandsOnTheNewestTransaction) {
  const auto restore_command =
      fmt::format(", restore_command: \"cp {}/%f %p\"", all_->archive().native());
  const std::vector<std::pair<std::string, std::string>> repositories{
      {"plain", basebackup("plain", all_->base(), all_->archive())},
      {"tar", basebackup("tar", all_->base(), all_->compressed_archive())},
      {"restore_command", basebackup("plain", all_->base(), all_->archive(), restore_command)},
      {"barman", barman(all_->barman())}};
  const auto before = list_files(all_->base().parent_path());
  for (const auto& [name, repository] : repositories) {
    SCOPED_TRACE(name);
    SecretSearch search(name == "barman" ? "secret-of-barman-77aa" : "", state);
    expect_newest_transaction(run_scenario(drill(repository, checks)));
    EXPECT_EQ(search.found(), std::vector<std::string>{});
  }
  EXPECT_EQ(list_files(all_->base().parent_path()), before);
}

TEST_F(OtherTools, ATransactionOnTheFirstTimelineIsReached) {
  const auto target = fmt::format("recover_to: {{ xid: \"{}\", timeline: 1 }}\nchecks: [landing]\n",
                                  all_->earlier_transaction());
  for (const auto& repository :
       {basebackup("plain", all_->base(), all_->archive()), barman(all_->barman())}) {
    const auto run = run_scenario(drill(repository, target));
    EXPECT_EQ(run.exit_code, 0) << run.text();
    ASSERT_TRUE(run.report && run.report->landing && run.report->landing->last_applied);
    EXPECT_EQ(std::to_string(run.report->landing->last_applied->xid), all_->earlier_transaction());
    expect_nothing_left();
  }
}

TEST_F(OtherTools, AMissingSegmentIsAGap) {
  const auto archive = own_ / "archive";
  run_as_owner("cp", {"-a", all_->archive().native(), archive.native()});
  fs::remove(archive / all_->newest_segment());
  // One more after the gap, so that the archive does not end there.
  const auto list = open_plain()->list({});
  const auto stop = list.backups.back().stop_segment;
  fs::remove(archive / stop);
  const auto run = run_scenario(drill(basebackup("plain", all_->base(), archive), checks));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  EXPECT_NE(run.findings().find("PGR-WAL-"), std::string::npos) << run.findings();

  const auto configuration = copy_barman();
  fs::remove(own_ / "barman/main/wals" / stop.substr(0, 16) / stop);
  const auto second = run_scenario(drill(barman(configuration), checks));
  EXPECT_EQ(second.exit_code, 1) << second.text();
  EXPECT_NE(second.findings().find("PGR-WAL-"), std::string::npos) << second.findings();
  expect_nothing_left();
}

// archive_command puts WAL into `incoming`, and Barman moves it to its archive once a minute.
TEST_F(OtherTools, WalThatBarmanHasNotArchivedYetIsRecovered) {
  const auto configuration = copy_barman();
  const auto& newest = all_->newest_segment();
  const auto archived = own_ / "barman/main/wals" / newest.substr(0, 16) / newest;
  const auto incoming = own_ / "barman/main/incoming" / newest;
  run_as_owner("cp", {"-a", (all_->archive() / newest).native(), incoming.native()});
  fs::remove(archived);
  expect_newest_transaction(run_scenario(drill(barman(configuration), checks)));
  EXPECT_TRUE(fs::exists(incoming));

  // Half of it is not a segment.
  fs::resize_file(incoming, fs::file_size(incoming) / 2);
  const auto run = run_scenario(drill(barman(configuration), checks));
  EXPECT_EQ(run.exit_code, 1) << run.text();
  expect_nothing_left();
}

// The tools do not list such a backup: a drill would restore an older one.
TEST_F(OtherTools, ANewestBackupThatIsNotListedIsReported) {
  const auto configuration = copy_barman();
  const auto base = own_ / "barman/main/base";
  run_as_owner("cp", {"-a", (base / open_barman()->list({}).backups.front().label).native(),
                      (base / "20990101T000000").native()});
  fs::remove(base / "20990101T000000/backup.info");
  const auto with_barman = run_scenario(drill(barman(configuration), checks));
  EXPECT_EQ(with_barman.exit_code, 1) << with_barman.text();
  EXPECT_NE(with_barman.text().find("20990101T000000/backup.info"), std::string::npos)
      << with_barman.text();

  run_as_owner("cp", {"-a", all_->base().native(), (own_ / "base").native()});
  run_as_owner("cp", {"-a", (own_ / "base/plain").native(), (own_ / "base/newest").native()});
  fs::remove(own_ / "base/newest/backup_label");
  run_as_owner("touch", {(own_ / "base/newest/backup_manifest").native()});
  const auto plain =
      run_scenario(drill(basebackup("latest", own_ / "base", all_->archive()), checks));
  EXPECT_EQ(plain.exit_code, 1) << plain.text();
  EXPECT_NE(plain.text().find("newest/backup_label"), std::string::npos) << plain.text();
  expect_nothing_left();
}

// "No file" would be the end of the archive.
TEST_F(OtherTools, ARestoreCommandThatFailsIsNotTheEndOfTheArchive) {
  const auto repository =
      basebackup("plain", all_->base(), all_->archive(), ", restore_command: \"false\"");
  const auto run = run_scenario(drill(repository, checks));
  EXPECT_NE(run.exit_code, 0) << run.text();
  EXPECT_NE(run.findings().find("PGR-WAL-FETCH"), std::string::npos) << run.findings();
  expect_nothing_left();
}

TEST_F(OtherTools, ADamagedFileIsNamed) {
  run_as_owner("cp", {"-a", all_->base().native(), (own_ / "base").native()});
  const auto flip = [](const fs::path& file) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(5000);
    const auto byte = static_cast<char>(stream.get() ^ 0x40);
    stream.seekp(5000);
    stream.put(byte);
  };
  const auto file = "base/1/1259";
  flip(own_ / "base/plain" / file);
  const auto plain =
      run_scenario(drill(basebackup("plain", own_ / "base", all_->archive()), checks));
  EXPECT_EQ(plain.exit_code, 1) << plain.text();
  EXPECT_NE(plain.findings().find(file), std::string::npos) << plain.findings();

  const auto configuration = copy_barman();
  const auto id = open_barman()->list({}).backups.front().label;
  flip(own_ / "barman/main/base" / id / "data" / file);
  const auto second = run_scenario(drill(barman(configuration), checks));
  EXPECT_EQ(second.exit_code, 1) << second.text();
  EXPECT_NE(second.findings().find(file), std::string::npos) << second.findings();
  expect_nothing_left();
}

TEST_F(OtherTools, WhatIsNotSupportedIsSaid) {
  const auto file = scratch / "scenario.yaml";
  std::ofstream(file) << drill(barman(all_->barman()), checks);
  const auto prove = pgrehearse({"prove", "--scenario", file});
  EXPECT_EQ(prove.exit_code, 3) << prove.text();
  EXPECT_NE(prove.error_output.find("pgBackRest repositories only"), std::string::npos)
      << prove.text();
  const auto unknown = run_scenario(
      drill("{ type: barman, server: mian, config: " + all_->barman().native() + " }", checks));
  EXPECT_EQ(unknown.exit_code, 3) << unknown.text();
  EXPECT_NE(unknown.output.find("did you mean 'main'?"), std::string::npos) << unknown.text();
}

}  // namespace
}  // namespace pgrehearse
