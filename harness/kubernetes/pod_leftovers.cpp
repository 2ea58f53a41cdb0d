#include "harness/kubernetes/pod_leftovers.hpp"

#include "harness/kubernetes/drill_pod.hpp"
#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

std::vector<Leftover> PodLeftovers::list() const {
  std::vector<Leftover> leftovers;
  for (const auto& [entry, alive] : registry_.list()) {
    if (entry.type != pod_type) continue;
    leftovers.push_back({.run_id = entry.run_id,
                         .type = entry.type,
                         .scenario = entry.scenario,
                         .root = entry.engine,
                         .alive = alive});
  }
  return leftovers;
}

Removal PodLeftovers::remove(const Leftover& leftover) {
  return remove_registered(
             registry_, leftover,
             [&](const RegistryEntry& entry) { return remove_pod(runner_, registry_, entry); })
      .value_or(Removal{});
}

}  // namespace pgrehearse
