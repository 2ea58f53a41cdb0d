// A Patroni cluster of two members and one etcd, in the directories and the network namespace of a
// sandbox: where its parts are, and the text of its files.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/postgres/quarantine.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct NewClusterOptions {
  std::string scope;
  std::string patroni;  // program: a name or a path
  std::string etcd;
};

struct ClusterMember {
  std::string name;
  int port = 0;  // of PostgreSQL
  int rest_port = 0;
  std::filesystem::path data;
  std::filesystem::path tablespaces;
  std::filesystem::path configuration;  // Patroni's
  std::filesystem::path settings;       // PostgreSQL's, in place of the restored postgresql.conf
  std::filesystem::path password_file;
  std::filesystem::path log;
};

struct NewCluster {
  NewClusterOptions options;
  std::filesystem::path directory;  // of everything but sockets and logs
  std::filesystem::path sockets;
  std::filesystem::path restored;  // the copied data directory, until Patroni takes it
  // A symbolic link to the first member's tablespaces: pg_basebackup cannot send a tablespace whose
  // path has more than 99 characters.
  std::filesystem::path short_tablespaces;
  std::filesystem::path etcd_data;
  std::filesystem::path etcd_log;
  std::filesystem::path etcd_socket;
  std::filesystem::path start_script;
  std::string replication_password;
  std::string database = "postgres";  // that Patroni connects to
  // The first bootstraps the cluster, the second joins it.
  std::array<ClusterMember, 2> members;

  [[nodiscard]] const ClusterMember& first() const { return members.front(); }
  [[nodiscard]] const ClusterMember& second() const { return members.back(); }
};

inline constexpr const char* replication_role = "pgrehearse_replication";

// With a new password.
NewCluster plan_cluster(const SandboxPaths& paths, NewClusterOptions options);

// Where Patroni stores the cluster in etcd: "/pgrehearse/scope/".
std::string key_prefix(const NewCluster& cluster);

// What the configuration of a member is made from.
struct ClusterServer {
  QuarantineInput quarantine;            // of the restored cluster
  std::filesystem::path binaries;        // directory
  std::vector<std::string> tablespaces;  // names of the directories
};

// PostgreSQL's settings of a member: those of the quarantine, without what Patroni sets itself.
std::string server_settings(const ClusterMember& member, const ClusterServer& server);
// Patroni's configuration of a member. Only the first one can bootstrap the cluster.
std::string patroni_configuration(const NewCluster& cluster, const ClusterMember& member,
                                  const ClusterServer& server);
// A script that starts etcd and both members, and prints "NAME ended with exit code N" when one of
// them (etcd, or a member's name) ends.
std::string start_script(const NewCluster& cluster);

}  // namespace pgrehearse
