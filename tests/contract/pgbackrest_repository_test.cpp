// The contract of BackupRepository against a real pgBackRest. After every test the repository's
// files are unchanged, including their modification times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "harness/common/error.hpp"
#include "tests/contract/pgbackrest_laboratory.hpp"
#include "tests/contract/repository_promises.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string missing_tools() {
  if (geteuid() != 0) return "needs root, to drop to the postgres account";
  BoostCommandRunner runner;
  try {
    runner.run({.program = "pgbackrest", .arguments = {"version"}}, {});
    find_account("postgres");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// A new directory that the postgres account can enter; removed with everything in it.
class Scratch {
 public:
  Scratch() {
    std::string pattern = "/var/tmp/pgrehearse-contract-XXXXXX";
    path_ = mkdtemp(pattern.data());
    fs::permissions(path_, fs::perms(0755));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code failure;
    fs::remove_all(path_, failure);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class PgBackRestContract : public testing::TestWithParam<bool> {
 public:
  static void SetUpTestSuite() {
    if (!missing_tools().empty() || scratch_) return;
    scratch_ = std::make_unique<Scratch>();
    plain_ = std::make_unique<PgBackRestLaboratory>(scratch_->path(), "plain", "");
    encrypted_ =
        std::make_unique<PgBackRestLaboratory>(scratch_->path(), "encrypted", "open-sesame");
  }
  static void TearDownTestSuite() {
    plain_.reset();
    encrypted_.reset();
    scratch_.reset();
  }

 protected:
  void SetUp() override {
    if (!require_or_skip(missing_tools())) return;
    before_ = laboratory().listing();
  }
  void TearDown() override {
    if (!scratch_) return;
    EXPECT_EQ(laboratory().listing(), before_);
  }

  static PgBackRestLaboratory& laboratory() { return GetParam() ? *encrypted_ : *plain_; }
  static Backup newest(BackupRepository& repository) { return repository.list({}).backups.back(); }

 private:
  static inline std::unique_ptr<Scratch> scratch_;
  static inline std::unique_ptr<PgBackRestLaboratory> plain_;
  static inline std::unique_ptr<PgBackRestLaboratory> encrypted_;
  std::string before_;
};

TEST_P(PgBackRestContract, ListsBackupsOldestFirst) {
  auto repository = laboratory().repository();
  expect_lists_backups_oldest_first(*repository);
  EXPECT_THAT(repository->version({}), testing::StartsWith("pgBackRest 2."));
  const auto identity = laboratory()
                            .primary()
                            .connect("postgres", {})
                            .query("select system_identifier from pg_control_system()")
                            .text(0, 0);
  for (const auto& backup : repository->list({}).backups) {
    EXPECT_EQ(std::to_string(backup.system_identifier), identity);
    EXPECT_EQ(backup.encrypted, GetParam());
  }
}

TEST_P(PgBackRestContract, ListsTheArchiveWithBothTimelines) {
  auto repository = laboratory().repository();
  expect_lists_the_archive(*repository);
  const auto archive = repository->list_archive(newest(*repository), 16ULL << 20U, {});
  EXPECT_THAT(archive.unrecognized, IsEmpty());
}

TEST_P(PgBackRestContract, RestoresIntoTheSandboxAndFetchesWal) {
  auto repository = laboratory().repository();
  auto sandbox = laboratory().sandbox("restore");
  expect_restores_and_fetches_wal(*repository, *sandbox);
  expect_archiving_is_off(*sandbox);
  EXPECT_TRUE(fs::exists(sandbox->paths().tablespaces / "fast"));
  EXPECT_TRUE(sandbox->destroy().complete());
}

TEST_P(PgBackRestContract, AStopRequestInterrupts) {
  auto repository = laboratory().repository();
  auto sandbox = laboratory().sandbox("interrupted");
  expect_interruptible(*repository, *sandbox);
}

// Everything in this configuration would write outside the sandbox or change what is restored.
TEST_P(PgBackRestContract, RestoresOnARepositoryHostWhateverItsConfiguration) {
  auto repository = laboratory().repository(laboratory().write_hostile_configuration());
  const auto backup = newest(*repository);
  auto sandbox = laboratory().sandbox("hostile");
  const RecoveryTarget target{.type = TargetType::name, .name = "it's \\ a name"};
  repository->restore(backup, target, *sandbox, nullptr, {});
  const auto& paths = sandbox->paths();
  EXPECT_FALSE(fs::exists(laboratory().scratch() / "outside"));
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(paths.data / "pg_wal")));
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(paths.data / "linked")));
  EXPECT_TRUE(fs::exists(paths.tablespaces / "fast"));
  EXPECT_GT(fs::file_size(paths.data / "base" / "1" / "1259"), 0U);
  const auto settings = sandbox->read_file(paths.data / "postgresql.auto.conf");
  EXPECT_THAT(settings, AllOf(Not(HasSubstr("primary_conninfo")), Not(HasSubstr("promote")),
                              HasSubstr("archive_mode = 'off'")));
  const auto name = sandbox->run({.program = sandbox->program("postgres"),
                                  .arguments = {"-C", "recovery_target_name", "-D", paths.data}},
                                 {});
  EXPECT_EQ(name.output, "it's \\ a name\n") << name.error_output << settings;
  EXPECT_EQ(fetch_to_pg_wal(*repository, *sandbox, backup, backup.start_segment).exit_code, 0);
}

// What the configuration files of production hosts set, each with production's own directories.
constexpr std::pair<const char*, const char*> production_configurations[] = {
    {"asynchronous archiving for all stanzas", R"(
[global]
archive-async=y
archive-get-queue-max=8GiB
lock-path={0}/lock
log-path={0}/log
spool-path={0}/spool
)"},
    {"asynchronous archiving of the stanza", R"(
[demo]
archive-async=y
lock-path={0}/lock
log-path={0}/log
spool-path={0}/spool
)"},
    {"options of single commands", R"(
[global]
lock-path={0}/lock
log-path={0}/log
spool-path={0}/spool
[global:archive-get]
archive-async=y
process-max=8
[global:restore]
process-max=16
delta=y
link-all=y
recovery-option=recovery_target_action=promote
[demo:restore]
archive-mode=preserve
)"},
    {"verbose logging", R"(
[global]
archive-async=y
lock-path={0}/lock
log-path={0}/log
spool-path={0}/spool
log-level-console=debug
log-level-stderr=debug
log-level-file=trace
log-subprocess=y
log-timestamp=n
)"},
};

TEST_P(PgBackRestContract, LeavesTheDirectoriesOfAProductionHostAlone) {
  if (GetParam()) GTEST_SKIP() << "the same as without encryption";
  // A sandbox can be where Landlock is not: nothing may depend on it.
  for (const auto& [name, text] : production_configurations) {
    SCOPED_TRACE(name);
    auto repository = laboratory().repository(laboratory().write_production_configuration(text));
    const auto before = laboratory().listing_of_production();
    const auto backup = newest(*repository);
    EXPECT_FALSE(repository->list_archive(backup, 16ULL << 20U, {}).segments.empty());
    EXPECT_TRUE(repository->verify(backup, {}).ok);
    auto sandbox = laboratory().sandbox("production");
    repository->restore(backup, {}, *sandbox, nullptr, {});
    EXPECT_EQ(fetch_to_pg_wal(*repository, *sandbox, backup, backup.start_segment).exit_code, 0);
    EXPECT_EQ(laboratory().listing_of_production(), before);
    const auto settings = sandbox->read_file(sandbox->paths().data / "postgresql.auto.conf");
    EXPECT_THAT(settings, AllOf(Not(HasSubstr("promote")), HasSubstr("archive_mode = 'off'")));
    EXPECT_TRUE(sandbox->destroy().complete());
  }
}

// Variables of the account that would choose another backup, target or repository.
TEST_P(PgBackRestContract, VariablesDoNotChangeWhatIsRestored) {
  if (GetParam()) GTEST_SKIP() << "the same as without encryption";
  const std::pair<const char*, const char*> variables[] = {
      {"PGBACKREST_SET", "20200101-000000F"},
      {"PGBACKREST_TYPE", "immediate"},
      {"PGBACKREST_TARGET", "2020-01-01"},
      {"PGBACKREST_TARGET_ACTION", "promote"},
      {"PGBACKREST_DELTA", "y"},
      {"PGBACKREST_FORCE", "y"},
      {"PGBACKREST_REPO", "7"},
      {"PGBACKREST_FILTER", "nothing"},
      {"PGBACKREST_STANZA", "other"},
      {"PGBACKREST_ARCHIVE_ASYNC", "y"},
      {"PGBACKREST_SPOOL_PATH", "/nonexistent"}};
  for (const auto& [name, value] : variables) setenv(name, value, 1);
  auto repository = laboratory().repository();
  const auto backup = newest(*repository);
  EXPECT_FALSE(repository->list_archive(backup, 16ULL << 20U, {}).segments.empty());
  auto sandbox = laboratory().sandbox("variables");
  repository->restore(backup, {}, *sandbox, nullptr, {});
  EXPECT_TRUE(fs::exists(sandbox->paths().data / "standby.signal"));
  EXPECT_EQ(fetch_to_pg_wal(*repository, *sandbox, backup, backup.start_segment).exit_code, 0);
  for (const auto& [name, value] : variables) unsetenv(name);
}

TEST_P(PgBackRestContract, NamesTheDamagedFileOfABackup) {
  const auto copy = laboratory().copy_repository("flipped");
  auto repository = laboratory().repository(copy.configuration);
  const auto list = repository->list({});
  const auto& full = list.backups.front();
  EXPECT_TRUE(repository->verify(full, {}).ok);
  const auto file = PgBackRestLaboratory::flip_byte_below(copy.repository / "backup/demo" /
                                                          full.label / "pg_data/base");
  const auto verification = repository->verify(full, {});
  EXPECT_FALSE(verification.ok);
  // The two backups that depend on the file are unusable too.
  EXPECT_THAT(verification.problems,
              ElementsAre(HasSubstr(file.filename().native()), HasSubstr(list.backups[1].label),
                          HasSubstr(list.backups[2].label)));
  auto sandbox = laboratory().sandbox("flipped");
  // "<label>/pg_data/base/5/16385.lz4", or "base/5/16385" where pgBackRest names the restored file.
  const auto error =
      expect_names_the_damaged_file(*repository, full, *sandbox, "base/5/" + file.stem().native());
  EXPECT_EQ(error.code(), GetParam() ? error.code() : FindingCode::repo_damaged);
  EXPECT_THAT(error.what(), HasSubstr("pgBackRest reports [0"));
}

TEST_P(PgBackRestContract, RepositoryFailureIsNotTakenForTheEndOfTheArchive) {
  const auto copy = laboratory().copy_repository("failing");
  auto repository = laboratory().repository(copy.configuration);
  const auto backup = newest(*repository);
  auto sandbox = laboratory().sandbox("failing");
  repository->restore(backup, {}, *sandbox, nullptr, {});
  fs::remove(copy.repository / "archive/demo/archive.info");
  fs::remove(copy.repository / "archive/demo/archive.info.copy");
  expect_failure_is_not_the_end_of_the_archive(*repository, backup, *sandbox);
  const auto result = fetch_to_pg_wal(*repository, *sandbox, backup, backup.start_segment);
  EXPECT_THAT(result.error_output, HasSubstr("ERROR: [103]"));
  EXPECT_FALSE(repository->verify(backup, {}).ok);
}

// This is why the check wal_continuity exists.
TEST_P(PgBackRestContract, VerifyDoesNotReportAGapInTheArchive) {
  const auto copy = laboratory().copy_repository("hole");
  auto repository = laboratory().repository(copy.configuration);
  const auto backup = newest(*repository);
  const auto archive = repository->list_archive(backup, 16ULL << 20U, {});
  const auto& hole = archive.segments[archive.segments.size() - 2];
  fs::remove(copy.repository / "archive/demo/15-1" / hole.file.substr(0, 16) / hole.file);
  EXPECT_TRUE(repository->verify(backup, {}).ok);
  EXPECT_EQ(repository->list_archive(backup, 16ULL << 20U, {}).segments.size(),
            archive.segments.size() - 1);
}

TEST_P(PgBackRestContract, ReportsWhyTheRepositoryCannotBeUsed) {
  const auto wrong_stanza = error_of([&] { laboratory().repository({}, "dmeo")->list({}); });
  EXPECT_EQ(wrong_stanza.kind(), ErrorKind::usage);
  EXPECT_EQ(wrong_stanza.hint(), "did you mean 'demo'?");

  const auto no_file = error_of([&] { laboratory().repository("/nonexistent/x.conf")->list({}); });
  EXPECT_EQ(no_file.object(), "/nonexistent/x.conf");

  const auto copy = laboratory().copy_repository("unreadable");
  fs::permissions(copy.repository / "backup", fs::perms::none);
  const auto denied = error_of([&] { laboratory().repository(copy.configuration)->list({}); });
  EXPECT_EQ(denied.kind(), ErrorKind::environment);
  EXPECT_EQ(denied.code(), FindingCode::env_permission);

  if (!GetParam()) return;
  const auto no_key = laboratory().copy_repository("key");
  std::ifstream in(no_key.configuration);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.replace(text.find("open-sesame"), 11, "close-sesame");
  std::ofstream(no_key.configuration) << text;
  const auto cipher = error_of([&] { laboratory().repository(no_key.configuration)->list({}); });
  EXPECT_EQ(cipher.kind(), ErrorKind::repository);
  EXPECT_EQ(cipher.code(), FindingCode::repo_cipher);
}

INSTANTIATE_TEST_SUITE_P(Repositories, PgBackRestContract, testing::Bool(),
                         [](const auto& row) { return row.param ? "Encrypted" : "Plain"; });

// With one byte of the primary's heap inverted, pgBackRest takes the backup and exits with 0.
TEST(PgBackRestErrors, BackupWithPageErrorsIsListedWithItsFiles) {
  if (!require_or_skip(missing_tools())) return;
  const Scratch scratch;
  PgBackRestLaboratory laboratory(scratch.path(), "errors", "");
  auto& primary = laboratory.primary();
  auto connection = primary.connect("postgres", {});
  const auto file = connection.query("select pg_relation_filepath('public.orders')").text(0, 0);
  connection.query("checkpoint");
  primary.stop({});
  std::fstream page(primary.paths().data / file, std::ios::in | std::ios::out | std::ios::binary);
  page.seekp(8192 + 4000);
  page.put('\xff');
  page.close();
  primary.start({});
  primary.back_up(BackupType::full, {});
  const auto list = laboratory.repository()->list({});
  EXPECT_FALSE(list.backups.front().error);
  EXPECT_TRUE(list.backups.back().error);
  EXPECT_THAT(list.backups.back().errors, ElementsAre(HasSubstr(file)));
}

}  // namespace
}  // namespace pgrehearse
