// The objects of a drill in a pod: a network policy, a service account without permissions, the
// scenario, and the job that runs pgrehearse with its own volume.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "harness/common/units.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/kubernetes_spec.hpp"
#include "harness/scenario/pod_scenario.hpp"

namespace pgrehearse {

// Prefix of the line with the report in the pod's log.
inline constexpr std::string_view pod_report_mark = "pgrehearse-report: ";
inline constexpr const char* pod_container = "drill";
// On every object of a drill, in addition to harness/sandbox/labels.hpp.
inline constexpr const char* label_manager = "app.kubernetes.io/managed-by";

struct PodRequest {
  SandboxSpec spec;  // with run id and scenario
  KubernetesSpec kubernetes;
  std::string owner;     // host and registry
  std::string scenario;  // scenario for the pod, YAML
  std::filesystem::path configuration_directory = "/etc/pgbackrest";
  Bytes storage;
  Instant expires;
  std::chrono::seconds deadline{0};  // the cluster ends the job after this time
};

// JSON, `kind: List`, in the order of creation: the network policy before the job.
std::string manifest_json(const PodRequest& request);
// YAML, one document per object, in the same order.
std::string manifest_yaml(const PodRequest& request);

// The name of all objects of a run.
std::string pod_name(const std::string& run_id);
// An owner as a valid label value.
std::string owner_label(const std::string& owner);

}  // namespace pgrehearse
