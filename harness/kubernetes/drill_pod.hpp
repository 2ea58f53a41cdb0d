// The pod of one drill and the other objects of the run in the cluster. They are registered on this
// host before they are created, and removed by the destructor.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/kubernetes/kubernetes_cluster.hpp"
#include "harness/kubernetes/kubernetes_manifest.hpp"
#include "harness/sandbox/registry.hpp"

namespace pgrehearse {

// RegistryEntry::type of a pod.
inline constexpr std::string_view pod_type = "kubernetes";

class DrillPod {
 public:
  // Removes from the cluster what killed drills of this registry have left, and expired objects of
  // any registry; then registers this run. Throws Error(environment).
  DrillPod(KubernetesCluster cluster, const std::filesystem::path& state, PodRequest request,
           const std::stop_token& stop);
  DrillPod(const DrillPod&) = delete;
  DrillPod& operator=(const DrillPod&) = delete;
  // Destroys what has not been destroyed; never throws.
  ~DrillPod();

  // Writes `manifest` and a file next to it, and creates their objects: network policy, service
  // account and config map, then the job. Throws Error(environment).
  void create(const std::filesystem::path& manifest, const std::stop_token& stop);
  using Listener = std::function<void(std::string_view line)>;
  // Returns when the pod is running or has ended. Throws Error(environment) if it cannot start, or
  // did not start within the timeout of the scenario.
  void await_start(const Listener& on_state, const std::stop_token& stop);
  // Passes the log lines on until the pod has ended; returns its final state.
  PodState follow(const Listener& on_line, const std::stop_token& stop);
  [[nodiscard]] std::string log(const std::stop_token& stop) const;
  // As last read from the cluster.
  [[nodiscard]] const PodState& state() const { return state_; }
  [[nodiscard]] const KubernetesCluster& cluster() const { return cluster_; }

  Removal destroy();

 private:
  void update_state(const std::stop_token& stop);

  KubernetesCluster cluster_;
  PodRequest request_;
  std::optional<OwnedEntry> entry_;
  PodState state_;
};

// Value of label_owner for the runs of a registry.
std::string cluster_owner(const Registry& registry, const std::string& host);

// Removes the objects of a registered run.
Removal remove_pod(CommandRunner& runner, const Registry& registry, const RegistryEntry& entry);

}  // namespace pgrehearse
