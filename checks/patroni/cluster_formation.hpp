// Waits until a new Patroni cluster has a leader and a second member that streams from it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "checks/parsers/patroni_keys.hpp"
#include "checks/parsers/patroni_log.hpp"
#include "checks/patroni/new_cluster.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

// How the state of the cluster is read.
struct ClusterView {
  std::function<std::optional<PatroniKeys>()> keys;  // nullopt: etcd does not answer
  std::function<bool(const std::string& name)> ended;
  std::function<std::string(const std::filesystem::path& log)> read_log;
  // nullopt: its server does not accept connections.
  std::function<std::optional<bool>(const ClusterMember& member)> in_recovery;
  // Whether the second member streams, as the first one's server reports.
  std::function<bool()> streaming;
};

struct ClusterFormation {
  std::optional<Finding> failure;      // absent: the cluster is complete
  std::chrono::milliseconds leader{};  // from the start until the first member was the leader
  std::chrono::milliseconds complete{};
};

ClusterFormation wait_for_cluster(const NewCluster& cluster, const ClusterView& view,
                                  std::chrono::milliseconds timeout, const std::stop_token& stop);

// What the cluster lacks now: its only leader is the first member, and the second one streams.
// nullopt: nothing.
std::optional<Finding> cluster_defect(const NewCluster& cluster, const ClusterView& view);

}  // namespace pgrehearse
