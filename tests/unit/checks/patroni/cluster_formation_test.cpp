#include "checks/patroni/cluster_formation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/fakes/scripted_sandbox.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

class ClusterFormationTest : public testing::Test {
 protected:
  ClusterFormation form(std::chrono::milliseconds timeout = std::chrono::milliseconds(1)) {
    return wait_for_cluster(cluster, view, timeout, {});
  }
  FindingCode failure() {
    const auto result = form();
    return result.failure ? result.failure->code : FindingCode::none;
  }
  void complete() {
    keys = PatroniKeys{.leader = "member1",
                       .system_identifier = "7",
                       .members = {{"member1", {.role = "master", .state = "running"}},
                                   {"member2", {.role = "replica", .state = "running"}}}};
    in_recovery = {{"member1", false}, {"member2", true}};
    streaming = true;
  }

  ScriptedCommandRunner runner;
  ScriptedSandbox sandbox{runner};
  NewCluster cluster =
      plan_cluster(sandbox.paths(), {.scope = "x", .patroni = "patroni", .etcd = "etcd"});
  std::optional<PatroniKeys> keys;
  std::set<std::string> ended;
  std::map<std::filesystem::path, std::string> logs;
  std::map<std::string, bool> in_recovery;
  bool streaming = false;
  ClusterView view{.keys = [this] { return keys; },
                   .ended = [this](const std::string& name) { return ended.contains(name); },
                   .read_log = [this](const auto& log) { return logs[log]; },
                   .in_recovery =
                       [this](const ClusterMember& member) {
                         const auto found = in_recovery.find(member.name);
                         return found == in_recovery.end() ? std::nullopt
                                                           : std::optional(found->second);
                       },
                   .streaming = [this] { return streaming; }};
};

TEST_F(ClusterFormationTest, IsCompleteWithOneLeaderAndAStreamingMember) {
  complete();
  EXPECT_EQ(failure(), FindingCode::none);
  EXPECT_FALSE(cluster_defect(cluster, view));
}

TEST_F(ClusterFormationTest, EachPartOfTheEvidenceIsNecessary) {
  complete();
  keys->leader = "member2";
  EXPECT_EQ(failure(), FindingCode::cluster_timeout) << "another leader key";
  complete();
  keys->members["member2"].role = "master";
  EXPECT_EQ(failure(), FindingCode::cluster_timeout) << "two leaders";
  complete();
  in_recovery["member1"] = true;
  EXPECT_EQ(failure(), FindingCode::cluster_timeout) << "PostgreSQL is not promoted";
  complete();
  in_recovery.erase("member1");
  EXPECT_EQ(failure(), FindingCode::cluster_timeout) << "PostgreSQL does not accept connections";
  complete();
  streaming = false;
  EXPECT_EQ(failure(), FindingCode::cluster_timeout) << "the second member does not stream";
  EXPECT_EQ(cluster_defect(cluster, view)->code, FindingCode::cluster_replica);
  complete();
  in_recovery["member2"] = false;
  EXPECT_EQ(failure(), FindingCode::cluster_timeout) << "the second member is not a standby";
  complete();
  keys->members["member2"].state = "starting";
  EXPECT_EQ(failure(), FindingCode::cluster_timeout);
  keys.reset();
  EXPECT_EQ(failure(), FindingCode::cluster_timeout) << "etcd does not answer";
  EXPECT_EQ(cluster_defect(cluster, view)->code, FindingCode::cluster_bootstrap);
}

TEST_F(ClusterFormationTest, AFailedBootstrapIsReportedAtOnceWithItsReason) {
  logs[cluster.first().log] =
      "INFO: trying to bootstrap a new cluster\n[41] ERROR:  language \"plpgsql\" does not exist\n"
      "INFO: removing initialize key after failed attempt to bootstrap the cluster\n";
  const auto result = form(std::chrono::hours(1));
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->code, FindingCode::cluster_bootstrap);
  EXPECT_THAT(result.failure->message, HasSubstr("language \"plpgsql\" does not exist"));
}

TEST_F(ClusterFormationTest, PatroniThatDoesNotStartIsNoEvidenceAgainstTheBackup) {
  ended = {"member1"};
  logs[cluster.first().log] = "ModuleNotFoundError: No module named 'idna'\n\n";
  const auto result = form(std::chrono::hours(1));
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->code, FindingCode::cluster_environment);
  EXPECT_THAT(result.failure->message, HasSubstr("No module named 'idna'"));
  ended = {"etcd"};
  EXPECT_EQ(failure(), FindingCode::cluster_environment);
  ended = {"member2"};
  EXPECT_EQ(failure(), FindingCode::cluster_environment);
  logs[cluster.first().log] = "INFO: trying to bootstrap a new cluster\n";
  ended = {"member1"};
  EXPECT_EQ(failure(), FindingCode::cluster_bootstrap);
}

TEST_F(ClusterFormationTest, ASecondMemberThatCannotBeClonedFails) {
  complete();
  streaming = false;
  const std::string once =
      "pg_basebackup: error: checksum error occurred\n ERROR: failed to bootstrap from leader "
      "'a'\n";
  logs[cluster.second().log] = once + once;
  const auto result = form(std::chrono::hours(1));
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->code, FindingCode::cluster_replica);
  EXPECT_THAT(result.failure->message, HasSubstr("checksum error occurred"));
  logs[cluster.second().log] = once;
  EXPECT_EQ(failure(), FindingCode::cluster_replica) << "one attempt, and the time is over";
}

TEST_F(ClusterFormationTest, AFullDiskIsNoEvidenceAgainstTheBackup) {
  complete();
  streaming = false;
  logs[cluster.second().log] =
      "pg_basebackup: error: could not write to file \"base/5/1\": No space left on device\n"
      " ERROR: failed to bootstrap from leader 'a'\n";
  EXPECT_EQ(failure(), FindingCode::env_disk_full);
  logs[cluster.first().log] =
      "INFO: trying to bootstrap a new cluster\nOSError: [Errno 28] No space left on device\n"
      "INFO: removing initialize key after failed attempt to bootstrap the cluster\n";
  EXPECT_EQ(failure(), FindingCode::env_disk_full);
}

}  // namespace
}  // namespace pgrehearse
