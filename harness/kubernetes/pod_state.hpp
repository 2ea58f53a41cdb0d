// How a drill's pod is doing, as the cluster tells it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/common/error.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct PodState {
  enum class Phase { absent, waiting, running, ended };
  Phase phase = Phase::absent;
  std::string pod;        // its name; empty where there is none
  std::string reason;     // the cluster's word for why it waits or how it ended: "ImagePullBackOff"
  std::string message;    // and its explanation
  bool hopeless = false;  // what it waits for does not come by itself
  std::optional<int> exit_code;  // of pgrehearse in it
  std::string job_failure;       // "DeadlineExceeded"; empty: the job has not failed

  // "waiting: ImagePullBackOff: no such image"
  [[nodiscard]] std::string in_words() const;
};

// From kubectl's list of the run's job and pods, JSON. Throws Error(environment).
PodState read_pod_state(std::string_view json);

// Why there will be no report from a pod in this state.
Error pod_trouble(const PodState& state, const SandboxSpec& spec);

}  // namespace pgrehearse
