// What is asked of a cluster for a drill in a pod: a network policy, a service account without
// rights, the scenario, and the job that runs pgrehearse on a volume of its own.
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

// The line of its log with the report begins so.
inline constexpr std::string_view pod_report_mark = "pgrehearse-report: ";
inline constexpr const char* pod_container = "drill";
// A label of everything that a drill makes in a cluster, besides those of containers.
inline constexpr const char* label_manager = "app.kubernetes.io/managed-by";

struct PodRequest {
  SandboxSpec spec;  // with run id and scenario
  KubernetesSpec kubernetes;
  std::string owner;     // host and registry
  std::string scenario;  // text of the scenario for the pod
  std::filesystem::path configuration_directory = "/etc/pgbackrest";
  Bytes storage;
  Instant expires;
  std::chrono::seconds deadline{0};  // the cluster ends the job after it
};

// JSON, `kind: List`, in the order in which the objects must be made: first the wall.
std::string manifest_json(const PodRequest& request);
// The same for people, a YAML document an object.
std::string manifest_yaml(const PodRequest& request);

// The name of everything that a run makes.
std::string pod_name(const std::string& run_id);
// An owner as a label can hold it.
std::string owner_label(const std::string& owner);

}  // namespace pgrehearse
