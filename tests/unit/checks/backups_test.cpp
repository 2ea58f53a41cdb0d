#include <gtest/gtest.h>

#include "checks/checks.hpp"
#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class ListedRepository : public UntouchedRepository {
 public:
  BackupList list(std::stop_token) override { return listed; }
  BackupList listed{.status = {.code = 0, .message = "ok"}, .repositories = {{1, {0, "ok"}}}};
};

class BackupsUnitTest : public testing::Test {
 protected:
  void SetUp() override {
    bench.drill_started = *parse_instant("2026-11-20 03:00:00+00");
    auto own = std::make_unique<ListedRepository>();
    repository = own.get();
    bench.repository = std::move(own);
    add("20261101-000000F", 15 * 24h, 1000);
    add("20261115-000000F", 3 * 24h, 1100);
    add("20261115-000000F_20261119-000000I", 27h, 1100, "20261115-000000F");
  }

  void add(const std::string& label, std::chrono::hours age, std::uint64_t size,
           const std::string& prior = {}, int key = 1) {
    Backup backup{.label = label,
                  .type = prior.empty() ? BackupType::full : BackupType::incremental,
                  .prior = prior,
                  .repository_key = key,
                  .stop_time = bench.drill_started - age,
                  .size = {size}};
    if (!prior.empty()) backup.references = {prior};
    repository->listed.backups.push_back(backup);
  }

  CheckOutcome run(std::initializer_list<std::pair<std::string_view, SettingValue>> values = {}) {
    auto outcome = bench.run(backups_check(), settings_of(values));
    EXPECT_TRUE(verdict_agrees_with_findings(outcome));
    return outcome;
  }
  void expect_fails_with(const CheckOutcome& outcome, const std::string& code_and_object) {
    EXPECT_EQ(outcome.verdict, Verdict::fail);
    EXPECT_EQ(codes_and_objects(outcome), std::vector<std::string>{code_and_object});
  }

  CheckBench bench;
  ListedRepository* repository = nullptr;
};

TEST_F(BackupsUnitTest, RecentCompleteBackupsPass) {
  const auto outcome = run({{"max_age", milliseconds(28h)},
                            {"max_full_age", milliseconds(4 * 24h)},
                            {"min_full", std::int64_t{2}},
                            {"min_window", milliseconds(14 * 24h)},
                            {"max_size_change", 0.2}});
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_NE(outcome.summary.find("repo1: pass, 3 backups, 2 full"), std::string::npos)
      << outcome.summary;
}

TEST_F(BackupsUnitTest, LimitsAreCompared) {
  expect_fails_with(run({{"max_age", milliseconds(26h)}}),
                    "PGR-BACKUP-OLD 20261115-000000F_20261119-000000I");
  expect_fails_with(run({{"max_full_age", milliseconds(24h)}}), "PGR-BACKUP-OLD 20261115-000000F");
  expect_fails_with(run({{"min_full", std::int64_t{3}}}), "PGR-BACKUP-RETENTION repo1");
  expect_fails_with(run({{"min_window", milliseconds(16 * 24h)}}),
                    "PGR-BACKUP-RETENTION 20261101-000000F");
  expect_fails_with(run({{"max_size_change", 0.05}}), "PGR-BACKUP-SIZE 20261115-000000F");
}

TEST_F(BackupsUnitTest, AShrunkClusterIsANoteByDefault) {
  repository->listed.backups.at(1).size = {400};
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_EQ(codes_and_objects(outcome),
            std::vector<std::string>{"PGR-BACKUP-SIZE 20261115-000000F"});
}

TEST_F(BackupsUnitTest, ABackupWithoutTheOneItDependsOnDoesNotCount) {
  repository->listed.backups.erase(repository->listed.backups.begin() + 1);
  const auto outcome = run({{"max_full_age", milliseconds(10 * 24h)}});
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_EQ(codes_and_objects(outcome),
            (std::vector<std::string>{"PGR-BACKUP-REFERENCE 20261115-000000F_20261119-000000I",
                                      "PGR-BACKUP-OLD 20261101-000000F"}));
}

TEST_F(BackupsUnitTest, ABackupWithDamagedPagesDoesNotCountAsFull) {
  repository->listed.backups.at(1).error = true;
  EXPECT_EQ(codes_and_objects(run({{"min_full", std::int64_t{2}}})),
            (std::vector<std::string>{"PGR-BACKUP-ERROR 20261115-000000F",
                                      "PGR-BACKUP-RETENTION repo1"}));
}

TEST_F(BackupsUnitTest, EachRepositoryHasAVerdict) {
  repository->listed.repositories = {{1, {0, "ok"}},
                                     {2, {0, "ok"}},
                                     {3, {2, "no valid backups"}},
                                     {4, {99, "[HostConnectError] unable to connect"}}};
  add("20261001-000000F", 50 * 24h, 1000, {}, 2);
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_EQ(codes_and_objects(outcome),
            (std::vector<std::string>{"PGR-BACKUP-OLD 20261001-000000F", "PGR-REPO-EMPTY repo3",
                                      "PGR-BACKUP-STATUS repo4"}));
  EXPECT_NE(outcome.summary.find("repo2: fail"), std::string::npos) << outcome.summary;
  EXPECT_NE(outcome.summary.find("repo4: unknown"), std::string::npos) << outcome.summary;
}

TEST_F(BackupsUnitTest, ARepositoryThatCannotBeReadIsUnknown) {
  repository->listed = {.repositories = {{1, {99, "[HostConnectError] unable to connect"}}}};
  EXPECT_EQ(run().verdict, Verdict::unknown);
  repository->listed = {};
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

}  // namespace
}  // namespace pgrehearse
