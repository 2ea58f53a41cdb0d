#include "harness/kubernetes/pod_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/kubernetes/kubernetes_manifest.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

const Json& at(const Json& value, const char* key) {
  static const Json none;
  const auto found = value.is_object() ? value.find(key) : value.end();
  return value.is_object() && found != value.end() ? *found : none;
}

std::string text(const Json& value, const char* key) {
  const auto& found = at(value, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

const Json* condition(const Json& status, const char* type, const char* value) {
  for (const auto& one : at(status, "conditions")) {
    if (text(one, "type") == type && text(one, "status") == value) return &one;
  }
  return nullptr;
}

bool cannot_start_because(const std::string& reason) {
  // ErrImagePull is retried at once; if that fails, ImagePullBackOff follows.
  static constexpr std::array<std::string_view, 7> reasons{
      "ImagePullBackOff",     "InvalidImageName",
      "ErrImageNeverPull",    "CreateContainerConfigError",
      "CreateContainerError", "RunContainerError",
      "CrashLoopBackOff"};
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

void read_job(const Json& job, PodState& state) {
  if (const auto* failed = condition(at(job, "status"), "Failed", "True")) {
    state.job_failure = text(*failed, "reason");
    if (state.message.empty()) state.message = text(*failed, "message");
  }
}

// The state of the container is more specific than that of the pod, except after an eviction.
void read_container(const Json& container, PodState& state) {
  const auto& now = at(container, "state");
  if (const auto& waiting = at(now, "waiting"); !waiting.is_null()) {
    state.reason = text(waiting, "reason");
    state.message = text(waiting, "message");
    state.cannot_start = cannot_start_because(state.reason);
  }
  if (!at(now, "running").is_null()) state.phase = PodState::Phase::running;
  if (const auto& ended = at(now, "terminated"); !ended.is_null()) {
    state.phase = PodState::Phase::ended;
    const auto& code = at(ended, "exitCode");
    if (code.is_number_integer()) state.exit_code = code.get<int>();
    state.reason = text(ended, "reason");
    state.message = text(ended, "message");
  }
}

void read_pod(const Json& pod, PodState& state) {
  const auto& status = at(pod, "status");
  const auto phase = text(status, "phase");
  state.phase = PodState::Phase::waiting;
  state.pod = text(at(pod, "metadata"), "name");
  if (const auto* unscheduled = condition(status, "PodScheduled", "False")) {
    state.reason = text(*unscheduled, "reason");
    state.message = text(*unscheduled, "message");
  }
  for (const auto& container : at(status, "containerStatuses")) read_container(container, state);
  if (phase == "Failed" || phase == "Succeeded") state.phase = PodState::Phase::ended;
  const auto* disrupted = condition(status, "DisruptionTarget", "True");
  const auto& why = disrupted != nullptr ? *disrupted : status;
  if (!text(why, "reason").empty()) {
    state.reason = text(why, "reason");
    state.message = text(why, "message");
  }
}

}  // namespace

std::string PodState::description() const {
  static constexpr std::array<std::string_view, 4> phases{"no pod yet", "waiting", "running",
                                                          "ended"};
  std::string words(phases.at(static_cast<std::size_t>(phase)));
  for (const auto& part : {job_failure, reason, message}) {
    if (!part.empty()) words += ": " + part;
  }
  return words;
}

PodState read_pod_state(std::string_view json) {
  const auto list = Json::parse(json, nullptr, false);
  if (!at(list, "items").is_array()) {
    throw Error(ErrorKind::environment, "the output of kubectl get is not valid JSON", "",
                FindingCode::env_kubernetes, "kubectl");
  }
  PodState state;
  for (const auto& item : at(list, "items")) {
    if (text(item, "kind") == "Pod") read_pod(item, state);
    if (text(item, "kind") == "Job") read_job(item, state);
  }
  return state;
}

namespace {

struct Explanation {
  std::string message;
  std::string hint;
};

Explanation explanation_of_ended(const PodState& state, const PodRequest& request) {
  if (state.reason == "OOMKilled") {
    return {fmt::format("the pod ran out of memory: its limit is {}",
                        to_text(pod_memory(request.spec))),
            "raise sandbox.memory"};
  }
  if (state.reason == "Evicted") {
    return {fmt::format("the pod was evicted: {}", state.message),
            "if its volume was full, raise sandbox.kubernetes.storage; otherwise the node lacked "
            "resources"};
  }
  if (state.exit_code &&
      (state.reason.empty() || state.reason == "Error" || state.reason == "Completed")) {
    return {
        fmt::format("pgrehearse in the pod exited with code {} without a report", *state.exit_code),
        "see logs/pod.log in the run directory"};
  }
  return {fmt::format("the pod terminated early: {}", state.description()),
          "see the events of the pod (kubectl describe pod)"};
}

Explanation explanation_of(const PodState& state, const PodRequest& request) {
  if (state.job_failure == "DeadlineExceeded") {
    return {"Kubernetes ended the job: its deadline passed", "raise timeout"};
  }
  switch (state.phase) {
    case PodState::Phase::absent:
      if (!state.job_failure.empty()) {
        return {fmt::format("the job failed and its pod no longer exists: {}", state.description()),
                "the pod was deleted, or its node was removed"};
      }
      return {"the job has no pod", "check the quotas and admission rules of the namespace"};
    case PodState::Phase::waiting:
      if (state.reason.find("Image") != std::string::npos) {
        return {
            fmt::format("the image {} cannot be pulled: {}", request.kubernetes.image,
                        state.message),
            "check sandbox.image, and sandbox.kubernetes.pull_secret if the registry requires a "
            "login"};
      }
      if (state.reason == "Unschedulable") {
        return {fmt::format("no node accepts the pod: {}", state.message),
                "lower sandbox.memory, sandbox.cpus or sandbox.kubernetes.storage, or raise "
                "sandbox.kubernetes.start_timeout"};
      }
      return {fmt::format("the pod did not start: {}", state.description()),
              "check that config_secret and repository_claim exist in the namespace"};
    case PodState::Phase::running:
      return {"the log of the running pod cannot be read", "check that the cluster is reachable"};
    case PodState::Phase::ended:
      return explanation_of_ended(state, request);
  }
  return {};
}

}  // namespace

Error pod_error(const PodState& state, const PodRequest& request) {
  const auto [message, hint] = explanation_of(state, request);
  return {ErrorKind::environment, message, hint, FindingCode::env_kubernetes,
          state.pod.empty() ? pod_name(request.spec.run_id) : state.pod};
}

}  // namespace pgrehearse
