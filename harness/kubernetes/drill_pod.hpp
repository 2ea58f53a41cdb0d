// The pod of one drill and all that the run has in its cluster: registered on this host before it
// is made, and gone when this object goes.
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

class DrillPod {
 public:
  // Removes what dead drills of this registry, and anybody's that have outlived their time, have
  // left in the cluster; then registers. Throws Error(environment).
  DrillPod(KubernetesCluster cluster, const std::filesystem::path& state, PodRequest request,
           const std::stop_token& stop);
  DrillPod(const DrillPod&) = delete;
  DrillPod& operator=(const DrillPod&) = delete;
  // Destroys what is still there; never throws.
  ~DrillPod();

  // Makes the objects of the request: the wall, then the job, from `manifest` and a file beside it,
  // both written here. Throws
  // Error(environment).
  void create(const std::filesystem::path& manifest, const std::stop_token& stop);
  using Listener = std::function<void(std::string_view line)>;
  // Returns when the pod runs or has ended. Throws Error(environment) when it will not, or has not
  // after the scenario's patience.
  void await_start(const Listener& on_state, const std::stop_token& stop);
  // Passes its log on until the pod has ended; returns how.
  PodState follow(const Listener& on_line, const std::stop_token& stop);
  [[nodiscard]] std::string log(const std::stop_token& stop) const;
  // As last seen.
  [[nodiscard]] const PodState& state() const { return state_; }
  [[nodiscard]] const KubernetesCluster& cluster() const { return cluster_; }

  Removal destroy();

 private:
  void look(const std::stop_token& stop);

  KubernetesCluster cluster_;
  PodRequest request_;
  std::optional<OwnedEntry> entry_;
  PodState state_;
};

// Whose objects a registry's runs are, by the label of that name.
std::string cluster_owner(const Registry& registry, const std::string& host);

// Removes what a registered run has in its cluster.
Removal remove_pod(CommandRunner& runner, const Registry& registry, const RegistryEntry& entry);

}  // namespace pgrehearse
