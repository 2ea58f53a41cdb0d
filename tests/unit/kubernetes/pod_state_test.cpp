#include "harness/kubernetes/pod_state.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/kubernetes/kubernetes_cluster.hpp"

namespace pgrehearse {
namespace {

using Phase = PodState::Phase;

PodState state_of(const std::string& status, const std::string& job_status = "{}") {
  return read_pod_state(fmt::format(
      R"({{"items": [{{"kind": "Job", "status": {}}},
                     {{"kind": "Pod", "metadata": {{"name": "p"}}, "status": {}}}]}})",
      job_status, status));
}

std::string container(const std::string& state, const std::string& phase) {
  return fmt::format(R"({{"phase": "{}", "containerStatuses": [{{"state": {}}}]}})", phase, state);
}

std::string waiting(const std::string& reason) {
  return container(fmt::format(R"({{"waiting": {{"reason": "{}", "message": "m"}}}})", reason),
                   "Pending");
}

std::string ended(int code, const std::string& reason) {
  return container(
      fmt::format(R"({{"terminated": {{"exitCode": {}, "reason": "{}"}}}})", code, reason),
      code == 0 ? "Succeeded" : "Failed");
}

std::string error_message(const PodState& state) {
  PodRequest request;
  request.spec.run_id = "r";
  request.spec.memory = Bytes{std::uint64_t{1} << 30U};
  request.kubernetes.image = "i:1";
  const auto error = pod_error(state, request);
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.code(), FindingCode::env_kubernetes);
  EXPECT_FALSE(error.hint().empty());
  return error.what();
}

TEST(PodState, Phases) {
  EXPECT_EQ(read_pod_state(R"({"items": []})").phase, Phase::absent);
  EXPECT_EQ(state_of(R"({"phase": "Pending"})").phase, Phase::waiting);
  EXPECT_EQ(state_of(container(R"({"running": {}})", "Running")).phase, Phase::running);
  const auto over = state_of(ended(0, "Completed"));
  EXPECT_EQ(over.phase, Phase::ended);
  EXPECT_EQ(over.exit_code, 0);
  EXPECT_EQ(over.pod, "p");
}

TEST(PodState, SomeReasonsForWaitingNeedAChange) {
  for (const auto* reason :
       {"ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}) {
    EXPECT_TRUE(state_of(waiting(reason)).cannot_start) << reason;
  }
  for (const auto* reason : {"ContainerCreating", "PodInitializing", "ErrImagePull"}) {
    EXPECT_FALSE(state_of(waiting(reason)).cannot_start) << reason;
  }
}

TEST(PodState, ErrorsNameTheCause) {
  EXPECT_EQ(error_message(state_of(waiting("ImagePullBackOff"))),
            "the image i:1 cannot be pulled: m");
  EXPECT_EQ(error_message(state_of(ended(137, "OOMKilled"))),
            "the pod ran out of memory: its limit is 1.0 GB");
  EXPECT_EQ(
      error_message(state_of(R"({"phase": "Failed", "reason": "Evicted", "message": "disk"})")),
      "the pod was evicted: disk");
  EXPECT_EQ(error_message(state_of(ended(3, "Error"))),
            "pgrehearse in the pod exited with code 3 without a report");
  EXPECT_EQ(error_message(state_of(
                R"({"phase": "Pending", "conditions": [{"type": "PodScheduled",
                    "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]})")),
            "no node accepts the pod: 0/3 nodes");
  EXPECT_EQ(error_message(state_of(
                R"({"phase": "Failed", "conditions": [{"type": "DisruptionTarget",
                    "status": "True", "reason": "PreemptionByScheduler", "message": "m"}]})")),
            "the pod terminated early: ended: PreemptionByScheduler: m");
  EXPECT_EQ(error_message(read_pod_state(R"({"items": []})")), "the job has no pod");
}

TEST(PodState, ReasonOfAFailedJobIsPreferred) {
  const auto late =
      read_pod_state(R"({"items": [{"kind": "Job", "status": {"conditions": [{"type": "Failed",
                         "status": "True", "reason": "DeadlineExceeded", "message": "m"}]}}]})");
  EXPECT_EQ(late.phase, Phase::absent);
  EXPECT_EQ(error_message(late), "Kubernetes ended the job: its deadline passed");
}

TEST(PodState, OnlyAListIsAccepted) {
  EXPECT_THROW(read_pod_state("oops"), Error);
  EXPECT_THROW(read_pod_state("[]"), Error);
  EXPECT_EQ(read_pod_state(R"({"items": [{"kind": "Pod"}, 7]})").phase, Phase::waiting);
}

TEST(KubectlErrors, OneLineAndAHint) {
  const auto refused = kubectl_error(
      "E1121 12:00:00.000000 1 memcache.go:238] couldn't get current server API group list\n"
      "Error from server (Forbidden): jobs.batch is forbidden\nmore\n");
  EXPECT_STREQ(refused.what(), "kubectl: Error from server (Forbidden): jobs.batch is forbidden");
  EXPECT_NE(refused.hint().find("grant the account"), std::string::npos);
  EXPECT_STREQ(kubectl_error("error: current-context is not set\n").what(),
               "kubectl: current-context is not set");
  EXPECT_STREQ(kubectl_error("").what(), "kubectl: kubectl failed without an error message");
}

}  // namespace
}  // namespace pgrehearse
