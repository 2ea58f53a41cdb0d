// The state of a drill's pod as reported by the cluster.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/common/error.hpp"
#include "harness/kubernetes/kubernetes_manifest.hpp"

namespace pgrehearse {

struct PodState {
  enum class Phase { absent, waiting, running, ended };
  Phase phase = Phase::absent;
  std::string pod;               // its name; empty: the job has no pod
  std::string reason;            // why it waits or how it ended: "ImagePullBackOff"
  std::string message;           // explanation of the reason
  bool cannot_start = false;     // it waits for something that needs a change
  std::optional<int> exit_code;  // of pgrehearse in it
  std::string job_failure;       // "DeadlineExceeded"; empty: the job has not failed

  // "waiting: ImagePullBackOff: no such image"
  [[nodiscard]] std::string description() const;
};

// From kubectl's list of the run's job and pods, JSON. Throws Error(environment).
PodState read_pod_state(std::string_view json);

// Error(environment, env_kubernetes): why there is no report from a pod in this state.
Error pod_error(const PodState& state, const PodRequest& request);

}  // namespace pgrehearse
