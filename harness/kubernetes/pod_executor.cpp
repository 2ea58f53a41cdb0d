#include "harness/kubernetes/pod_executor.hpp"

#include <fmt/format.h>

#include "harness/kubernetes/kubernetes_cluster.hpp"
#include "harness/kubernetes/pod_drill.hpp"

namespace pgrehearse {

std::vector<DrillExecutor::Requirement> PodExecutor::requirements() {
  return {{.name = "cluster",
           .needs = "",
           .check =
               [this](const std::stop_token& stop) {
                 const auto& pod = *scenario_.kubernetes;
                 const auto cluster = KubernetesCluster::resolve(runner_, pod, stop);
                 return fmt::format("{}, image {}", cluster.probe(stop), pod.image);
               }},
          {.name = "volume size", .needs = "", .check = [this](const std::stop_token& stop) {
             return to_text(pod_storage(scenario_, repository_, stop));
           }}};
}

Report PodExecutor::run(const DrillServices& services, const ExecutionOptions& options,
                        std::stop_token stop) {
  return run_drill_in_pod(scenario_, services, options.timeout, std::move(stop));
}

std::optional<std::string> PodExecutor::manifest(const std::string& run_id, std::string_view format,
                                                 std::stop_token stop) {
  const auto storage = pod_storage(scenario_, repository_, std::move(stop));
  const auto request = pod_request(scenario_, run_id, state_, storage, scenario_.timeout);
  return format == "json" ? manifest_json(request) : manifest_yaml(request);
}

}  // namespace pgrehearse
