// A Kubernetes cluster as kubectl reaches it. Nothing is kept here: what a run has made is found by
// its labels.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/kubernetes/pod_state.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/kubernetes_spec.hpp"

namespace pgrehearse {

// What one run has in the cluster.
struct ClusterRun {
  std::string run_id;
  std::string owner;  // its label
  bool expired = false;
};

// All throw Error(environment, PGR-ENV-KUBERNETES) with kubectl's words when it refuses.
class KubernetesCluster {
 public:
  // `runner` outlives it. Empty words: as kubectl's configuration says.
  KubernetesCluster(CommandRunner& runner, std::string context, std::string name_space)
      : runner_(runner), context_(std::move(context)), name_space_(std::move(name_space)) {}

  // The cluster of a scenario, its context and namespace looked up in kubectl's configuration, so
  // that they mean the same later. Asks no cluster.
  static KubernetesCluster resolve(CommandRunner& runner, const KubernetesSpec& spec,
                                   const std::stop_token& stop);
  // "kubernetes://context/namespace", for the registry.
  [[nodiscard]] std::string address() const;
  static KubernetesCluster at(CommandRunner& runner, std::string_view address);

  // "Kubernetes v1.31.0, context rehearsals, namespace drills": it answers, and lets jobs be made.
  [[nodiscard]] std::string probe(const std::stop_token& stop) const;
  void create(const std::filesystem::path& manifest, const std::stop_token& stop) const;
  [[nodiscard]] PodState state(const std::string& run_id, const std::stop_token& stop) const;
  // The container's log so far, or, with a listener, until the container ends. A connection that is
  // lost ends it early: no error.
  std::string log(const std::string& pod, const std::function<void(std::string_view)>& on_line,
                  const std::stop_token& stop) const;
  // What the cluster says has happened to the run's job and pod, the newest last. Never throws.
  [[nodiscard]] std::vector<std::string> events(const std::string& run_id) const;

  // Ends the pod; the wall round it goes when it has gone; then looks again. Never throws: what
  // cannot be removed is in `remaining`.
  [[nodiscard]] Removal remove(const std::string& run_id, const std::string& owner_label) const;
  // Everybody's.
  [[nodiscard]] std::vector<ClusterRun> runs(const std::stop_token& stop) const;

  [[nodiscard]] const std::string& context() const { return context_; }
  [[nodiscard]] const std::string& name_space() const { return name_space_; }

 private:
  [[nodiscard]] Command command(std::vector<std::string> words) const;
  [[nodiscard]] CommandResult ask(const Command& command, const std::stop_token& stop) const;
  [[nodiscard]] std::vector<std::string> names(const std::string& kinds,
                                               const std::string& selector) const;
  void remove_kinds(const std::string& kinds, const std::string& selector, Removal& removal) const;

  CommandRunner& runner_;
  std::string context_;
  std::string name_space_;
};

// What kubectl's complaint means and what to do.
Error kubectl_trouble(std::string_view complaint);

}  // namespace pgrehearse
