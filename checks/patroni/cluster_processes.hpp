// The processes of a new cluster: etcd and two Patroni members, with their servers.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "checks/patroni/new_cluster.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// All in one network namespace, which has only a loopback interface, and in one PID namespace; the
// destructor ends them at once.
class ClusterProcesses {
 public:
  // Starts them; the files of `cluster` have been written.
  ClusterProcesses(Sandbox& sandbox, const NewCluster& cluster);
  ClusterProcesses(const ClusterProcesses&) = delete;
  ClusterProcesses& operator=(const ClusterProcesses&) = delete;
  ~ClusterProcesses();

  // "etcd", or a member's name: whether it has ended, by itself or with the others.
  [[nodiscard]] bool ended(const std::string& name) const;

 private:
  void on_line(std::string_view line);

  mutable std::mutex mutex_;
  std::set<std::string> ended_;
  bool all_ended_ = false;
  std::jthread thread_;  // last: it uses the other members
};

}  // namespace pgrehearse
