#include "harness/primary/patroni.hpp"

#include <gmock/gmock.h>

#include "harness/common/error.hpp"
#include "harness/report/finding_codes.hpp"
#include "tests/fakes/scripted_http_client.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::HasSubstr;

// Recorded from Patroni 3.0.2, three nodes, n3 leads.
constexpr const char* cluster_3_0_2 =
    R"({"members": [{"name": "n1", "role": "replica", "state": "running", "api_url": "http://10.0.0.1:8008/patroni", "host": "10.0.0.1", "port": 26101, "timeline": 1, "lag": 0}, {"name": "n2", "role": "replica", "state": "running", "api_url": "http://10.0.0.2:8008/patroni", "host": "10.0.0.2", "port": 26102, "timeline": 1, "lag": 4096}, {"name": "n3", "role": "leader", "state": "running", "api_url": "http://10.0.0.3:8008/patroni", "host": "10.0.0.3", "port": 26103, "timeline": 1}]})";
constexpr const char* status_of_replica =
    R"({"state": "running", "postmaster_start_time": "2026-11-21 06:38:19.659273+00:00", "role": "replica", "server_version": 150020, "xlog": {"received_location": 67108864, "replayed_location": 67108864, "replayed_timestamp": null, "paused": false}, "timeline": 1, "dcs_last_seen": 1795243110, "database_system_identifier": "7710510376864525298", "patroni": {"version": "3.0.2", "scope": "pat"}})";

class PatroniTest : public testing::Test {
 protected:
  PatroniTest() {
    script.responses["http://10.0.0.1:8008/cluster"] = {200, cluster_3_0_2};
    script.responses["http://10.0.0.1:8008/patroni"] = {200, status_of_replica};
    script.responses["http://10.0.0.3:8008/primary"] = {200, "{}"};
    for (const auto* url : {"http://10.0.0.1:8008/replica", "http://10.0.0.2:8008/replica"}) {
      script.responses[url] = {200, status_of_replica};
    }
  }

  std::vector<Route> routes(const MemberPreference& preference = {}) {
    const Patroni patroni(spec, std::make_unique<ScriptedHttpClient>(script));
    return patroni.routes({{"user", "pgrehearse"}, {"dbname", "postgres"}}, preference, {});
  }
  // "CODE: message | hint"
  std::string error_of(const MemberPreference& preference = {}) {
    try {
      routes(preference);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::environment);
      EXPECT_NE(error.hint(), "");
      return std::string(text_of(error.code())) + ": " + error.what();
    }
    return "no error";
  }
  void cluster_says(const std::string& body) {
    script.responses["http://10.0.0.1:8008/cluster"] = {200, body};
  }

  HttpScript script;
  PatroniSpec spec{.urls = {"http://10.0.0.1:8008"}};
};

TEST_F(PatroniTest, FindsTheLeaderAndKeepsTheRestOfTheDsn) {
  const auto found = routes();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].parameters, (ConnectionParameters{{"host", "10.0.0.3"},
                                                       {"port", "26103"},
                                                       {"user", "pgrehearse"},
                                                       {"dbname", "postgres"}}));
  EXPECT_EQ(found[0].role, ExpectedRole::primary);
  EXPECT_EQ(found[0].member, "n3 (10.0.0.3:26103)");
  EXPECT_EQ(found[0].reason, "the leader of Patroni cluster 'pat'");
  EXPECT_THAT(script.requested, Contains("http://10.0.0.3:8008/primary"));
}

// Any member, or whoever answers in its place, could name another address.
TEST_F(PatroniTest, CredentialsGoOnlyToHostsThatTheScenarioNames) {
  const auto asked_with_credentials = [&](const std::string& api_url) {
    cluster_says(R"({"members": [{"name": "n1", "role": "leader", "state": "running", )"
                 R"("host": "10.0.0.1", "port": 5432, "api_url": ")" +
                 api_url + R"("}], "scope": "pat"})");
    script.requested.clear();
    script.with_credentials.clear();
    routes();
    const auto& with = script.with_credentials;
    EXPECT_EQ(script.requested.back().find("/cluster"), std::string::npos);
    return std::find(with.begin(), with.end(), script.requested.back()) != with.end();
  };
  spec.urls = {"http://10.0.0.1:8008"};
  EXPECT_TRUE(asked_with_credentials("http://10.0.0.1:8008/patroni"));
  EXPECT_TRUE(asked_with_credentials("http://10.0.0.1:9999/patroni"));
  EXPECT_FALSE(asked_with_credentials("http://10.0.0.2:8008/patroni"));
  EXPECT_FALSE(asked_with_credentials("http://10.0.0.1@10.0.0.2:8008/patroni"));
  EXPECT_FALSE(asked_with_credentials("http://10.0.0.1.example.com/patroni"));
  EXPECT_FALSE(asked_with_credentials("https://10.0.0.1:8008/patroni"));
}

TEST_F(PatroniTest, TriesTheNextMemberAfterAnErrorOrInvalidResponse) {
  spec.urls = {"http://10.0.0.9:8008", "http://10.0.0.8:8008/", "http://10.0.0.1:8008/patroni"};
  script.responses["http://10.0.0.8:8008/cluster"] = {200, "<html>It works!</html>"};
  EXPECT_EQ(routes().at(0).member, "n3 (10.0.0.3:26103)");
}

TEST_F(PatroniTest, ReportsWhyNoMemberResponds) {
  spec.urls = {"http://10.0.0.9:8008", "http://10.0.0.8:8008", "http://10.0.0.7:8008",
               "http://10.0.0.6:8008"};
  script.responses["http://10.0.0.8:8008/cluster"] = {503, ""};
  script.responses["http://10.0.0.7:8008/cluster"] = {401, "no auth header received"};
  script.responses["http://10.0.0.6:8008/cluster"] = {200, R"({"members": "many"})"};
  EXPECT_EQ(error_of(),
            "PGR-PRIMARY-NO-MEMBER: no member of the Patroni cluster responds: "
            "http://10.0.0.9:8008: connection refused; "
            "http://10.0.0.8:8008: HTTP status 503 (check that its etcd, Consul or Kubernetes API "
            "is reachable); "
            "http://10.0.0.7:8008: refused with HTTP status 401; "
            "http://10.0.0.6:8008: not a Patroni response: no members");
}

TEST_F(PatroniTest, RejectsAMemberOfAnotherCluster) {
  spec.cluster = "pat";
  EXPECT_EQ(error_of(), "no error");
  spec.cluster = "orders";
  EXPECT_EQ(error_of(),
            "PGR-PRIMARY-CLUSTER: http://10.0.0.1:8008 belongs to Patroni cluster 'pat', the "
            "scenario expects 'orders'");
}

TEST_F(PatroniTest, ReportsAClusterWithoutALeader) {
  cluster_says(
      R"({"members": [{"name": "n1", "role": "replica", "state": "running", "host": "10.0.0.1", "port": 5432, "lag": "unknown"}, {"name": "n2", "role": "replica", "state": "start failed", "host": "10.0.0.2", "port": 5432, "lag": "unknown"}], "scope": "orders"})");
  EXPECT_EQ(error_of(),
            "PGR-PRIMARY-NO-LEADER: Patroni cluster 'orders' has no leader: n1: replica, "
            "running; n2: replica, start failed");
  cluster_says(R"({"members": [], "scope": "orders", "pause": true})");
  EXPECT_EQ(error_of(),
            "PGR-PRIMARY-PAUSED: Patroni cluster 'orders' (paused: no automatic failover) "
            "has no leader: no members");
}

TEST_F(PatroniTest, UsesAPausedClusterWithALeaderAndReportsIt) {
  cluster_says(
      R"({"members": [{"name": "n1", "role": "leader", "state": "running", "host": "10.0.0.1", "port": 5432}], "scope": "orders", "pause": true})");
  EXPECT_EQ(routes().at(0).reason,
            "the leader of Patroni cluster 'orders' (paused: no automatic failover)");
}

TEST_F(PatroniTest, RejectsALeaderThatReportsAnotherRole) {
  script.responses["http://10.0.0.3:8008/primary"] = {503, status_of_replica};
  EXPECT_EQ(error_of(),
            "PGR-PRIMARY-ROLE: Patroni cluster 'pat' reports n3 (10.0.0.3:26103) as its leader, "
            "but n3 reports: replica, running");
}

TEST_F(PatroniTest, UsesALeaderWhoseRestApiIsUnreachable) {
  script.responses.erase("http://10.0.0.3:8008/primary");
  EXPECT_EQ(routes().at(0).member, "n3 (10.0.0.3:26103)");
}

TEST_F(PatroniTest, AStandbyClusterHasNoPrimary) {
  cluster_says(
      R"({"members": [{"name": "n1", "role": "standby_leader", "state": "in archive recovery", "host": "10.0.0.1", "port": 5432}], "scope": "remote"})");
  EXPECT_THAT(error_of(), HasSubstr("PGR-PRIMARY-STANDBY-CLUSTER: Patroni cluster 'remote' is a "
                                    "standby cluster"));
  const auto found = routes({.prefer = PreferredMember::standby});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].role, ExpectedRole::standby);
}

TEST_F(PatroniTest, PrefersTheStandbyWithTheLeastLagAndFallsBackToTheLeader) {
  const auto found = routes({.prefer = PreferredMember::standby});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].member, "n1 (10.0.0.1:26101)");
  EXPECT_EQ(found[0].reason, "a standby of Patroni cluster 'pat', lag 0 B");
  EXPECT_EQ(found[1].member, "n2 (10.0.0.2:26102)");
  EXPECT_EQ(found[1].role, ExpectedRole::standby);
  EXPECT_EQ(found[2].member, "n3 (10.0.0.3:26103)");
  EXPECT_EQ(found[2].role, ExpectedRole::primary);
}

TEST_F(PatroniTest, ReportsWhyNoStandbyIsUsable) {
  // Roles and states of newer releases.
  cluster_says(
      R"({"members": [{"name": "a", "role": "primary", "state": "running", "host": "10.0.0.3", "port": 5432, "timeline": 7}, {"name": "b", "role": "sync_standby", "state": "streaming", "host": "b", "port": 5432, "timeline": 7, "lag": 33554432}, {"name": "c", "role": "replica", "state": "streaming", "host": "c", "port": 5432, "lag": "unknown"}, {"name": "d", "role": "quorum_standby", "state": "streaming", "host": "d", "port": 5432, "lag": 0, "tags": {"noloadbalance": true}}, {"name": "e", "role": "replica", "state": "stopped", "host": "e", "port": 5432, "lag": "unknown"}, {"name": "f", "role": "replica", "state": "creating replica", "lag": "unknown"}, {"name": "g", "role": "replica", "state": "start failed", "host": "g", "port": 5432, "lag": "unknown"}, {"name": "h", "role": "replica", "state": "streaming", "host": "h", "port": 5432, "lag": 5, "api_url": "https://h:8008/patroni"}], "scope": "orders"})");
  script.responses["https://h:8008/replica?lag=16777216"] = {503, status_of_replica};
  const auto found = routes({.prefer = PreferredMember::standby, .max_lag = Bytes{16U << 20U}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].member, "a (10.0.0.3:5432)");
  EXPECT_EQ(found[0].reason,
            "the leader of Patroni cluster 'orders', no usable standby: d has the tag "
            "noloadbalance; h reports replica, running; b lags 32.0 MB (max_lag 16.0 MB); c has an "
            "unknown lag; e is stopped; f is "
            "creating replica; g is start failed");
}

TEST_F(PatroniTest, UsesAStandbyWhenThereIsNoLeader) {
  cluster_says(
      R"({"members": [{"name": "n1", "role": "replica", "state": "running", "host": "10.0.0.1", "port": 5432, "lag": "unknown"}], "scope": "orders"})");
  const auto found = routes({.prefer = PreferredMember::standby});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].reason, "a standby of Patroni cluster 'orders', lag unknown");
}

}  // namespace
}  // namespace pgrehearse
