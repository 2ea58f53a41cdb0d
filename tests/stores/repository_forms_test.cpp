// The same drill against every form of pgBackRest repository: same verdict, same landing, no secret
// outside its file, and no change to the repository.
#include <fmt/format.h>

#include <fstream>

#include "harness/sandbox/directories.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/engines/test_engine.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/stores/certificates.hpp"
#include "tests/stores/many_repositories.hpp"
#include "tests/stores/remote_stores.hpp"
#include "tests/stores/secret_search.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view checks = R"(recover_to: latest
checks:
  - backups: { max_age: 1d, max_full_age: 1d }
  - databases
  - identity
  - landing
  - wal_continuity
  - query: { name: newest row, database: postgres, sql: "select count(*) from orders where id = 0", expect: 1 }
)";

class RepositoryForms : public DrillTest {
 protected:
  static void SetUpTestSuite() {
    if (!missing().empty()) return;
    scratch_of_all_ = make_scratch_directory("repositories");
    all_ = std::make_unique<ManyRepositories>(scratch_of_all_, runner_of_all_);
  }
  static void TearDownTestSuite() {
    all_.reset();
    if (!scratch_of_all_.empty()) fs::remove_all(scratch_of_all_);
  }

  void SetUp() override {
    if (!require_or_skip(missing())) return;
    DrillTest::SetUp();
  }

  static std::string missing() {
    if (!fs::exists(newer_pgbackrest())) return "pgBackRest 2.55.1 is not installed";
    return missing_for_stores();
  }

  // The scenario and the options of `run` for one form.
  [[nodiscard]] static std::string scenario_of(const RepositoryForm& form) {
    auto text = all_->laboratory().scenario_text("form", checks);
    const auto original = all_->laboratory().paths().configuration.native();
    return text.replace(text.find(original), original.size(), form.configuration.native());
  }
  [[nodiscard]] static std::vector<std::string> options_of(const RepositoryForm& form) {
    std::vector<std::string> options{"--set", "repository.binary=" + form.pgbackrest};
    if (form.key != 0) {
      options.insert(options.end(), {"--set", fmt::format("repository.repo={}", form.key)});
    }
    return options;
  }

  // The same in another kind of sandbox. `keys`: YAML.
  [[nodiscard]] static std::string scenario_in(const std::string& keys,
                                               const RepositoryForm& form) {
    auto text = scenario_of(form);
    const std::string local = "type: local";
    return text.replace(text.find(local), local.size(), keys);
  }

  void expect_newest_transaction(const DrillRun& run) {
    EXPECT_EQ(run.exit_code, 0) << run.text();
    ASSERT_TRUE(run.report) << run.text();
    EXPECT_EQ(run.report->verdict, Verdict::pass) << run.findings();
    ASSERT_TRUE(run.report->landing && run.report->landing->last_applied) << run.text();
    EXPECT_TRUE(run.report->landing->proved) << run.report->landing->proof;
    EXPECT_EQ(fmt::format("{}", run.report->landing->last_applied->xid),
              all_->newest_transaction());
    if (!landing_) landing_ = run.report->landing->lsn;
    EXPECT_EQ(run.report->landing->lsn, landing_);
  }

  static inline BoostCommandRunner runner_of_all_;
  static inline fs::path scratch_of_all_;
  static inline std::unique_ptr<ManyRepositories> all_;
  static inline std::optional<Lsn> landing_;  // of the first drill
};

TEST_F(RepositoryForms, EachLandsOnTheNewestTransactionAndLeaksNoSecret) {
  const std::vector<fs::path> directories{all_->laboratory().paths().repository,
                                          all_->directory("encrypted"), all_->directory("bundled"),
                                          all_->directory("sftp"), all_->s3().data()};
  std::vector<Listing> before;
  for (const auto& directory : directories) before.push_back(list_files(directory));
  for (const auto& form : all_->forms()) {
    SCOPED_TRACE(form.name);
    SecretSearch search(form.secret, state);
    const auto run = run_scenario(scenario_of(form), options_of(form));
    expect_newest_transaction(run);
    EXPECT_EQ(search.found(), std::vector<std::string>{});
    EXPECT_EQ(run.text().find(form.secret), form.secret.empty() ? 0 : std::string::npos);
    expect_nothing_left();
  }
  for (std::size_t at = 0; at < directories.size(); ++at) {
    EXPECT_EQ(list_files(directories[at]), before[at]) << directories[at];
  }
}

TEST_F(RepositoryForms, BackupsAreCountedInEachRepository) {
  auto form = all_->form("first-of-two");
  form.key = 0;
  auto text = scenario_of(form);
  text.erase(text.find("checks:"));
  const auto run = run_scenario(text + "checks: [backups: { max_age: 1d, min_full: 2 }]\n");
  EXPECT_EQ(run.exit_code, 1) << run.text();
  ASSERT_NE(run.check("backups"), nullptr) << run.text();
  EXPECT_NE(run.findings().find("PGR-BACKUP-RETENTION repo1"), std::string::npos) << run.findings();
  EXPECT_NE(run.findings().find("PGR-BACKUP-RETENTION repo2"), std::string::npos) << run.findings();
  expect_nothing_left();
}

// The backup tool runs on this host: nothing inside can connect to the repository or read its keys.
TEST_F(RepositoryForms, RemoteOnesAreReachedFromContainersAndVirtualMachines) {
  const auto docker = docker_for_tests();
  const auto podman = podman_for_tests();
  const auto machine = virtual_machine_for_tests();
  const std::vector<std::pair<TestEngine, std::string>> kinds{
      {docker, fmt::format("type: docker, engine: \"{}\"", docker.address)},
      {podman, fmt::format("type: podman, engine: \"{}\"", podman.address)},
      {machine, fmt::format("type: vm, image: {}", machine.address)}};
  int drilled = 0;
  for (const auto& [engine, keys] : kinds) {
    if (!engine.impossible.empty()) continue;
    EXPECT_TRUE(engine.missing.empty() || !everything_is_required()) << engine.missing;
    if (!engine.missing.empty()) continue;
    for (const auto* name : {"s3", "ssh"}) {
      SCOPED_TRACE(keys + ", " + name);
      const auto& form = all_->form(name);
      SecretSearch search(form.secret, state);
      const auto run = run_scenario(scenario_in(keys, form), options_of(form));
      expect_newest_transaction(run);
      EXPECT_EQ(search.found(), std::vector<std::string>{});
      ASSERT_TRUE(run.report) << run.text();
      EXPECT_NE(
          run.report->tools.at("PostgreSQL binaries").find("the backup tool runs on this host"),
          std::string::npos)
          << run.report->tools.at("PostgreSQL binaries");
      expect_nothing_left();
    }
    ++drilled;
  }
  if (!require_or_skip(drilled > 0 ? "" : "neither containers nor machines work here",
                       Remedy::none)) {
    return;
  }
}

// An object store whose certificate has expired or is of another authority.
TEST_F(RepositoryForms, AStoreThatCannotBeTrustedIsNoVerdictOnTheBackup) {
  const auto directory_for = [](const std::string& name) {
    auto directory = all_->directory(name);
    make_private_directory(directory, all_->laboratory().account());
    return directory;
  };
  const auto expired = directory_for("expired");
  const auto other = directory_for("other-authority");
  make_certificates(all_->laboratory(), runner_of_all_, expired, -1);
  make_certificates(all_->laboratory(), runner_of_all_, other);
  const S3Store expired_store(all_->laboratory(), runner_of_all_, all_->directory("expired-s3"),
                              expired);
  const auto usual = all_->s3().options_of("repo1");
  const auto secret = all_->s3().secret();
  struct Case {
    std::string name;
    std::string options;
    std::string reason;
  };
  for (const auto& [name, options, reason] :
       {Case{"expired", expired_store.options_of("repo1"), "certificate has expired"},
        Case{"other-authority",
             usual.substr(0, usual.find("repo1-storage-ca-file")) +
                 fmt::format("repo1-storage-ca-file={}/ca.crt\n", other.native()),
             "unable to verify certificate presented by"}}) {
    SCOPED_TRACE(name);
    const RepositoryForm form{.name = name,
                              .configuration = all_->write_configuration(
                                  name, "io-timeout=3\nrepo1-path=/two\n" + options)};
    const auto run = run_scenario(scenario_of(form), options_of(form));
    EXPECT_EQ(run.exit_code, 2) << run.text();
    EXPECT_NE(run.text().find(reason), std::string::npos) << run.text();
    EXPECT_NE(run.text().find("PGR-ENV-HOST"), std::string::npos) << run.text();
    EXPECT_EQ(run.text().find(secret), std::string::npos);
    expect_nothing_left();
  }
}

// A kept sandbox is what a drill leaves on disk.
TEST_F(RepositoryForms, SecretsInEnvironmentVariablesAreNotPassedOn) {
  const auto secret = all_->s3().secret();
  auto options = "repo1-path=/two\n" + all_->s3().options_of("repo1");
  const auto at = options.find("repo1-s3-key-secret");
  options.erase(at, options.find('\n', at) + 1 - at);
  const RepositoryForm form{.name = "variables",
                            .configuration = all_->write_configuration("variables", options)};
  const auto file = scratch / "scenario.yaml";
  std::ofstream(file) << scenario_of(form);
  SecretSearch search(secret, state);
  const auto run =
      pgrehearse({"run", file, "--keep"}, {{"PGBACKREST_REPO1_S3_KEY_SECRET", secret}});
  expect_newest_transaction(run);
  EXPECT_EQ(search.found(), std::vector<std::string>{});
  EXPECT_GT(search.servers_seen(), 0U) << "the search saw no PostgreSQL server";
  ASSERT_TRUE(run.report) << run.text();
  EXPECT_EQ(pgrehearse({"clean", run.report->id}).exit_code, 0);
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
