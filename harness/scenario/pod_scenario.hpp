// The scenario for pgrehearse inside a pod: overrides applied, and a local sandbox on the pod's
// volume instead of the pod. Also the rules for scenarios that run in a pod.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

// Directory for the sandbox in the pod, on the pod's volume.
inline constexpr const char* pod_sandboxes = "/pgrehearse/sandboxes";

Bytes pod_memory(const SandboxSpec& spec);
int pod_cpus(const SandboxSpec& spec);

struct PodAddress {
  std::string cidr;  // "203.0.113.7/32"
  int port = 0;
};
// "203.0.113.0/24:443", "203.0.113.7:443", "[2001:db8::/64]:443"; nullopt if invalid.
std::optional<PodAddress> parse_pod_address(std::string_view text);

// `root` must be validated and contain only values from the scenario and its overrides.
std::string scenario_inside_pod(const YamlNode& root, const SandboxSpec& sandbox);

// Adds the errors of a scenario whose sandbox is a pod.
void check_pod_rules(const YamlNode& root, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
