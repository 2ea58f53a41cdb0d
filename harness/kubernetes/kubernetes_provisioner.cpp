#include "harness/kubernetes/kubernetes_provisioner.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/kubernetes/drill_pod.hpp"
#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

std::string KubernetesProvisioner::probe(const SandboxSpec& /*spec*/, std::stop_token stop) {
  const auto cluster = KubernetesCluster::resolve(runner_, kubernetes_, stop);
  return fmt::format("{}, image {}", cluster.probe(stop), kubernetes_.image);
}

std::unique_ptr<Sandbox> KubernetesProvisioner::create(const SandboxSpec& /*spec*/,
                                                       std::stop_token /*stop*/) {
  throw Error(ErrorKind::environment, "only a whole drill runs in a pod",
              "for this command add --set sandbox.type=local", FindingCode::env_kubernetes);
}

std::vector<Leftover> KubernetesProvisioner::list() const {
  std::vector<Leftover> leftovers;
  for (const auto& [entry, alive] : registry_.list()) {
    if (entry.type != "kubernetes") continue;
    leftovers.push_back({.run_id = entry.run_id,
                         .type = entry.type,
                         .scenario = entry.scenario,
                         .root = entry.engine,
                         .alive = alive});
  }
  return leftovers;
}

Removal KubernetesProvisioner::remove(const Leftover& leftover) {
  return remove_registered(
             registry_, leftover,
             [&](const RegistryEntry& entry) { return remove_pod(runner_, registry_, entry); })
      .value_or(Removal{});
}

}  // namespace pgrehearse
