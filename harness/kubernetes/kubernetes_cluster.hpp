// Access to a Kubernetes cluster through kubectl. The objects of a run are found by their labels.
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

// A run with objects in the cluster.
struct ClusterRun {
  std::string run_id;
  std::string owner;  // its label
  bool expired = false;
};

// All throw Error(environment, env_kubernetes) with the error of kubectl.
class KubernetesCluster {
 public:
  // `runner` outlives it. Empty names: those of the kubectl configuration.
  KubernetesCluster(CommandRunner& runner, std::string context, std::string name_space)
      : runner_(runner), context_(std::move(context)), name_space_(std::move(name_space)) {}

  // The cluster of a scenario. Context and namespace are read from the kubectl configuration, so
  // that later changes of it have no effect. Does not connect to the cluster.
  static KubernetesCluster resolve(CommandRunner& runner, const KubernetesSpec& spec,
                                   const std::stop_token& stop);
  // "kubernetes://context/namespace", for the registry.
  [[nodiscard]] std::string address() const;
  static KubernetesCluster at(CommandRunner& runner, std::string_view address);

  // "Kubernetes v1.31.0, context rehearsals, namespace drills": it responds, and jobs can be
  // created.
  [[nodiscard]] std::string probe(const std::stop_token& stop) const;
  void create(const std::filesystem::path& manifest, const std::stop_token& stop) const;
  [[nodiscard]] PodState state(const std::string& run_id, const std::stop_token& stop) const;
  // The container's log so far or, with a listener, until the container ends. A lost connection
  // ends the log early without an error.
  std::string log(const std::string& pod, const std::function<void(std::string_view)>& on_line,
                  const std::stop_token& stop) const;
  // Warning events of the run's job and pod, the newest last. Never throws.
  [[nodiscard]] std::vector<std::string> events(const std::string& run_id) const;

  // Removes job and pod, then network policy, config map and service account, and checks that
  // nothing remains. Never throws: what cannot be removed is in `remaining`.
  [[nodiscard]] Removal remove(const std::string& run_id, const std::string& owner_label) const;
  // Runs of all registries.
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

// Error(environment, env_kubernetes) with a hint for the error output of kubectl.
Error kubectl_error(std::string_view output);

}  // namespace pgrehearse
