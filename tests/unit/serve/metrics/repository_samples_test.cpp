#include "harness/serve/metrics/repository_samples.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "harness/serve/metrics/metric_table.hpp"

namespace pgrehearse {
namespace {

class RepositorySamplesTest : public testing::Test {
 protected:
  RepositorySamplesTest() {
    MapArchive archive{.repository_key = 1, .bytes = Bytes{500}};
    archive.backups.push_back({.backup = {.label = "old", .size = Bytes{10}}});
    archive.backups.push_back({.backup = {.label = "new",
                                          .start_time = *parse_instant("2026-11-20T01:00:00Z"),
                                          .stop_time = *parse_instant("2026-11-20T01:10:00Z"),
                                          .size = Bytes{20},
                                          .error = true},
                               .problems = {"damaged"}});
    MapBranch branch{.timeline = 1, .archive_end = Lsn{0x4000000}};
    branch.windows.push_back({.begin = {.time = parse_instant("2026-11-19T00:00:00Z")},
                              .end = {.time = parse_instant("2026-11-20T02:00:00Z")}});
    archive.branches.push_back(branch);
    map = {.stanza = "orders", .archives = {archive, archive}};
    map.archives[1].bytes = Bytes{9};  // of an older cluster in the same repository
  }

  // Metric -> value; each has one sample here, except the numbers of backups.
  std::map<std::string, double> values(std::optional<ArchiverStatus> archiver = {},
                                       std::optional<FileSystemSpace> space = {}) {
    std::map<std::string, double> values;
    for (const auto& sample : repository_samples({map, std::move(archiver), space})) {
      EXPECT_NE(find_metric(sample.metric), nullptr) << sample.metric;
      if (sample.metric == "pgrehearse_backups") continue;
      EXPECT_TRUE(values.emplace(sample.metric, sample.value).second) << sample.metric;
    }
    return values;
  }

  RecoveryMap map;
};

TEST_F(RepositorySamplesTest, DescribeTheNewestBackupAndTheNewestCluster) {
  const auto found = values();
  EXPECT_EQ(found.at("pgrehearse_backup_size_bytes"), 20);
  EXPECT_EQ(found.at("pgrehearse_backup_duration_seconds"), 600);
  EXPECT_EQ(found.at("pgrehearse_backup_error"), 1);
  EXPECT_EQ(found.at("pgrehearse_unusable_backups"), 1);
  EXPECT_EQ(found.at("pgrehearse_archive_size_bytes"), 500);
  EXPECT_EQ(found.at("pgrehearse_newest_recoverable_timestamp_seconds") -
                found.at("pgrehearse_oldest_recoverable_timestamp_seconds"),
            26 * 3600);
}

TEST_F(RepositorySamplesTest, WithoutEvidenceThereAreNoSamples) {
  map.archives[0].branches[0].windows[0].end.time.reset();
  const auto found = values();
  for (const auto* metric :
       {"pgrehearse_newest_recoverable_timestamp_seconds", "pgrehearse_archive_lag_seconds",
        "pgrehearse_primary_lsn_bytes", "pgrehearse_repository_size_bytes",
        "pgrehearse_backup_repository_size_bytes"}) {
    EXPECT_FALSE(found.contains(metric)) << metric;
  }
  map.archives.clear();
  EXPECT_THAT(values(), testing::SizeIs(1));  // the status of the stanza
}

TEST_F(RepositorySamplesTest, LagIsTheWaitOfTheOldestSegment) {
  ArchiverStatus status{.lsn = Lsn{0x4000100}};
  EXPECT_FALSE(values(status).contains("pgrehearse_archive_lag_seconds"));
  status.waiting = WaitingSegments{.count = 2, .oldest_age = Seconds(700)};
  const auto found = values(status, FileSystemSpace{.size = 100, .free = 15});
  EXPECT_EQ(found.at("pgrehearse_archive_lag_seconds"), 700);
  EXPECT_EQ(found.at("pgrehearse_archive_lag_bytes"), 0x100);
  EXPECT_EQ(found.at("pgrehearse_repository_free_bytes"), 15);
}

TEST(LocalRepositoryTest, IsTheDirectoryWithTheStanza) {
  const auto root =
      std::filesystem::path(testing::TempDir()) / ("local-repository-" + std::to_string(getpid()));
  std::filesystem::create_directories(root / "one/backup/orders");
  std::filesystem::create_directories(root / "two/backup/orders");
  EXPECT_EQ(local_repository({.paths = {"/etc", root / "one"}, .remote = {}}, "orders"),
            root / "one");
  EXPECT_EQ(local_repository({.paths = {root / "one"}, .remote = {}}, "other"), std::nullopt);
  EXPECT_EQ(local_repository({.paths = {root / "one", root / "two"}, .remote = {}}, "orders"),
            std::nullopt);
  EXPECT_GT(space_of(root)->size, 0U);
  EXPECT_EQ(space_of("/nonexistent"), std::nullopt);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace pgrehearse
