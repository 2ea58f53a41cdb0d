// One drill in a Kubernetes pod: pgrehearse in the pod runs the whole drill with a local sandbox on
// the pod's volume, and its report becomes this drill's report.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/drill/run_drill.hpp"
#include "harness/kubernetes/kubernetes_manifest.hpp"

namespace pgrehearse {

// As run_drill(). The caller requests a stop after `timeout`.
Report run_drill_in_pod(const Scenario& scenario, const DrillServices& services,
                        std::optional<std::chrono::milliseconds> timeout, std::stop_token stop);

// Size of the pod's volume: that of the scenario, or enough for the selected backup. Throws
// Error(environment, env_kubernetes) if this host cannot read the repository.
Bytes pod_storage(const Scenario& scenario, BackupRepository& repository, std::stop_token stop);

// The objects of the drill. Does not connect to the cluster.
PodRequest pod_request(const Scenario& scenario, const std::string& run_id,
                       const std::filesystem::path& state, Bytes storage,
                       std::optional<std::chrono::milliseconds> timeout);

// The report in a pod's log. Throws Error(environment, env_kubernetes) if there is none, or if
// it is of another scenario or contradicts the exit code.
Report report_in_log(std::string_view log, const std::string& scenario, int exit_code);

}  // namespace pgrehearse
