#include "harness/kubernetes/kubernetes_provisioner.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/kubernetes/drill_pod.hpp"
#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

std::string KubernetesProvisioner::probe(const SandboxSpec& spec, std::stop_token stop) {
  const auto cluster = KubernetesCluster::resolve(runner_, kubernetes_, stop);
  return fmt::format("{}, image {}", cluster.probe(stop), spec.image);
}

std::unique_ptr<Sandbox> KubernetesProvisioner::create(const SandboxSpec& /*spec*/,
                                                       std::stop_token /*stop*/) {
  throw Error(ErrorKind::environment, "only a whole drill runs in a pod",
              "for this command add --set sandbox.type=local", FindingCode::env_kubernetes);
}

std::vector<Leftover> KubernetesProvisioner::list() const {
  std::vector<Leftover> leftovers;
  for (const auto& listed : registry_.list()) {
    if (listed.entry.type != "kubernetes") continue;
    leftovers.push_back(leftover_of(listed));
    leftovers.back().root = listed.entry.engine;
  }
  return leftovers;
}

Removal KubernetesProvisioner::remove(const Leftover& leftover) {
  auto taken = take_leftover(registry_, leftover.run_id);
  if (!taken) return {};
  auto removal = remove_pod(runner_, registry_, taken->entry);
  if (removal.complete()) taken->owned.remove();
  return removal;
}

}  // namespace pgrehearse
