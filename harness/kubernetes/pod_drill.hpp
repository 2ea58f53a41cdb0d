// One drill in a Kubernetes pod: pgrehearse in it does the whole drill with a local sandbox on the
// pod's volume, and its report becomes this one's.
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

// As run_drill(). `timeout`: after which the caller asks to stop.
Report run_drill_in_pod(const Scenario& scenario, const DrillServices& services,
                        std::optional<std::chrono::milliseconds> timeout, std::stop_token stop);

// Size of the pod's volume: as the scenario says, or for the chosen backup. Throws
// Error(environment, PGR-ENV-KUBERNETES) where this host cannot tell.
Bytes pod_storage(const Scenario& scenario, BackupRepository& repository, std::stop_token stop);

// What the cluster is asked for. Talks to nobody.
PodRequest pod_request(const Scenario& scenario, const std::string& run_id,
                       const std::filesystem::path& state, Bytes storage,
                       std::optional<std::chrono::milliseconds> timeout);

// The report in a pod's log. Throws Error(environment, PGR-ENV-KUBERNETES) when it holds none, or
// one that does not belong to this scenario or contradicts the exit code.
Report report_in_log(std::string_view log, const std::string& scenario, int exit_code);

}  // namespace pgrehearse
