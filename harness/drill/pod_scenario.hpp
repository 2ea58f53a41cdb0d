// What pgrehearse in a pod gets to read: the scenario with its overrides, and a local sandbox on
// the pod's volume in place of the pod. Which scenarios a pod cannot run is said here too.
#pragma once

#include <string>
#include <vector>

#include "harness/drill/scenario_errors.hpp"
#include "harness/drill/yaml_source.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// `root` is validated, and its values come from nowhere else than the scenario and its overrides.
std::string scenario_inside_pod(const YamlNode& root, const SandboxSpec& sandbox);

// Adds what is wrong with a scenario whose sandbox is a pod.
void check_pod_rules(const YamlNode& root, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
