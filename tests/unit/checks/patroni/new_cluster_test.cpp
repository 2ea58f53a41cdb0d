#include "checks/patroni/new_cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/scripted_sandbox.hpp"

namespace pgrehearse {
namespace {

using Json = nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

struct NewClusterTest : testing::Test {
  NewClusterTest() {
    server.quarantine.control.max_connections = 300;
    server.quarantine.control.max_wal_senders = 3;
  }

  [[nodiscard]] Json configuration(const ClusterMember& member) const {
    return Json::parse(patroni_configuration(cluster, member, server));
  }

  ScriptedCommandRunner runner;
  ScriptedSandbox sandbox{runner};
  NewCluster cluster = plan_cluster(
      sandbox.paths(), {.scope = "rehearsal", .patroni = "patroni", .etcd = "/opt/my etcd"});
  ClusterServer server{.quarantine = {.major = 15,
                                      .configuration = "/sandbox/patroni",
                                      .sockets = "/sandbox/sockets",
                                      .superuser = "postgres",
                                      .accounts = {"postgres", "root"},
                                      .memory = {std::uint64_t{4} << 30U},
                                      .cpus = 2},
                       .binaries = "/usr/lib/postgresql/15/bin"};
};

TEST_F(NewClusterTest, EverythingListensOnLoopbackOnly) {
  for (const auto& member : cluster.members) {
    const auto text = configuration(member);
    for (const auto* pointer : {"/postgresql/listen", "/postgresql/connect_address",
                                "/restapi/listen", "/restapi/connect_address", "/etcd3/host"}) {
      EXPECT_TRUE(text.at(Json::json_pointer(pointer)).get<std::string>().starts_with("127.0.0.1:"))
          << pointer;
    }
    EXPECT_EQ(text["scope"], "rehearsal");
    EXPECT_EQ(text["postgresql"]["parameters"]["unix_socket_permissions"], "0700");
  }
  const auto script = start_script(cluster);
  EXPECT_THAT(script, HasSubstr("--listen-client-urls=http://127.0.0.1:2379,unix://localhost:1 "));
  EXPECT_THAT(script, HasSubstr("--listen-peer-urls=http://127.0.0.1:2380 "));
  EXPECT_THAT(script, HasSubstr("'/opt/my etcd'"));
}

TEST_F(NewClusterTest, OnlyTheFirstMemberCanBootstrap) {
  const auto first = configuration(cluster.first());
  EXPECT_EQ(first["bootstrap"]["method"], "pgrehearse");
  EXPECT_EQ(first["bootstrap"]["pgrehearse"]["command"],
            "mv -T /sandbox/patroni/restored /sandbox/patroni/member1");
  EXPECT_FALSE(configuration(cluster.second()).contains("bootstrap"));
}

// A standby whose settings are lower than pg_control's does not start.
TEST_F(NewClusterTest, SettingsOfTheClusterAreNotBelowTheRestoredOnes) {
  const auto parameters =
      configuration(cluster.first())["bootstrap"]["dcs"]["postgresql"]["parameters"];
  EXPECT_EQ(parameters["max_connections"], 300);
  EXPECT_EQ(parameters["max_wal_senders"], 10);
}

TEST_F(NewClusterTest, ServersAreQuarantined) {
  const auto settings = server_settings(cluster.first(), server);
  for (const auto* line : {"archive_mode = 'off'\n", "shared_preload_libraries = ''\n",
                           "autovacuum = 'off'\n", "max_logical_replication_workers = '0'\n"}) {
    EXPECT_THAT(settings, HasSubstr(line));
  }
  EXPECT_THAT(settings, Not(HasSubstr("hba_file"))) << "Patroni's own file applies";
  EXPECT_EQ(configuration(cluster.first())["postgresql"]["custom_conf"],
            "/sandbox/patroni/member1.conf")
      << "production's postgresql.conf would be included";
  const auto rules = configuration(cluster.second())["postgresql"]["pg_hba"];
  EXPECT_THAT(rules.dump(), Not(HasSubstr("trust")));
  EXPECT_EQ(rules.back(), "local all all reject");
  EXPECT_THAT(rules, Contains(Json("local all \"postgres\" peer map=pgrehearse")));
}

TEST_F(NewClusterTest, TablespacesOfTheSecondMemberAreElsewhere) {
  server.tablespaces = {"0"};
  const auto options = configuration(cluster.second())["postgresql"]["basebackup"];
  EXPECT_EQ(options.back()["tablespace-mapping"],
            "/sandbox/sockets/1/0=/sandbox/patroni/member2-tablespaces/0");
}

TEST_F(NewClusterTest, EachClusterHasItsOwnPassword) {
  const auto other = plan_cluster(sandbox.paths(), cluster.options);
  EXPECT_NE(other.replication_password, cluster.replication_password);
  EXPECT_EQ(
      configuration(cluster.second())["postgresql"]["authentication"]["replication"]["password"],
      cluster.replication_password);
}

}  // namespace
}  // namespace pgrehearse
