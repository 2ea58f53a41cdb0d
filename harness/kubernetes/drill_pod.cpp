#include "harness/kubernetes/drill_pod.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>

#include "harness/common/host_name.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/throw_if_stopped.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

// Removes runs whose registry entry or owner does not exist any more. An entry is written before
// the first object is created, so a list read after the cluster's objects contains every running
// drill.
void remove_leftovers(const KubernetesCluster& cluster, const Registry& registry,
                      const std::string& owner, const std::stop_token& stop) {
  for (const auto& run : cluster.runs(stop)) {
    if (run.owner != owner_label(owner) && !run.expired) continue;
    const auto entries = registry.list();
    const bool alive = std::any_of(entries.begin(), entries.end(), [&](const auto& listed) {
      return listed.alive && listed.entry.run_id == run.run_id;
    });
    if (alive) continue;
    const auto removal = cluster.remove(run.run_id, run.owner);
    spdlog::warn("cleaned up after killed drill {} in {}: {}", run.run_id, cluster.address(),
                 removal.complete() ? "complete" : "incomplete");
  }
}

}  // namespace

std::string cluster_owner(const Registry& registry, const std::string& host) {
  return fmt::format("{}:{}", host, registry.directory().string());
}

Removal remove_pod(CommandRunner& runner, const Registry& registry, const RegistryEntry& entry) {
  return KubernetesCluster::at(runner, entry.engine)
      .remove(entry.run_id, owner_label(cluster_owner(registry, entry.host)));
}

DrillPod::DrillPod(KubernetesCluster cluster, const std::filesystem::path& state,
                   PodRequest request, const std::stop_token& stop)
    : cluster_(std::move(cluster)), request_(std::move(request)) {
  const Registry registry(state);
  remove_leftovers(cluster_, registry, request_.owner, stop);
  entry_.emplace(registry.publish({.run_id = request_.spec.run_id,
                                   .type = std::string(pod_type),
                                   .scenario = request_.spec.scenario,
                                   .created = to_iso8601(std::chrono::system_clock::now()),
                                   .host = host_name(),
                                   .boot_id = boot_id(),
                                   .engine = cluster_.address()}));
}

DrillPod::~DrillPod() {
  try {
    destroy();
  } catch (...) {
    // The registry entry remains: `clean` and the next run remove the rest.
  }
}

void DrillPod::create(const std::filesystem::path& manifest, const std::stop_token& stop) {
  // kubectl continues after a rejected object, but the job must not exist without the policy.
  const auto all = manifest_yaml(request_);
  const auto job = all.rfind("\n---\n") + 1;
  auto isolation = manifest;
  isolation.replace_filename("isolation.yaml");
  std::ofstream(isolation) << all.substr(0, job);
  std::ofstream(manifest) << all.substr(job);
  cluster_.create(isolation, stop);
  cluster_.create(manifest, stop);
}

void DrillPod::update_state(const std::stop_token& stop) {
  state_ = cluster_.state(request_.spec.run_id, stop);
}

void DrillPod::await_start(const Listener& on_state, const std::stop_token& stop) {
  const auto started = [&] {
    update_state(stop);
    if (state_.phase == PodState::Phase::running || state_.phase == PodState::Phase::ended) {
      return true;
    }
    if (state_.cannot_start || !state_.job_failure.empty()) throw pod_error(state_, request_);
    on_state(state_.description());
    return false;
  };
  const auto deadline = Clock::now() + request_.kubernetes.start_timeout;
  if (!poll_until(deadline, std::chrono::seconds(1), stop, started)) {
    throw pod_error(state_, request_);
  }
}

PodState DrillPod::follow(const Listener& on_line, const std::stop_token& stop) {
  constexpr auto shortest = std::chrono::milliseconds(1000);
  std::size_t seen = 0;
  auto pause = shortest;
  while (state_.phase == PodState::Phase::running && state_.job_failure.empty()) {
    std::size_t number = 0;
    // After a lost connection the log starts again with its first line.
    cluster_.log(
        state_.pod,
        [&](std::string_view line) {
          if (++number > seen) on_line(line);
        },
        stop);
    pause = number > seen ? shortest : std::min(pause * 2, shortest * 10);
    seen = std::max(seen, number);
    update_state(stop);
    if (state_.phase != PodState::Phase::running) break;
    wait_for(pause, stop);
    throw_if_stopped(stop);
  }
  return state_;
}

std::string DrillPod::log(const std::stop_token& stop) const {
  return state_.pod.empty() ? std::string() : cluster_.log(state_.pod, {}, stop);
}

Removal DrillPod::destroy() {
  if (!entry_) return {};
  auto removal = cluster_.remove(request_.spec.run_id, owner_label(request_.owner));
  if (removal.complete()) {
    entry_->remove();
    entry_.reset();
  }
  return removal;
}

}  // namespace pgrehearse
