// Finds what killed drills left in clusters. A drill in a pod runs there as a whole
// (drill/pod_drill.hpp): there is no sandbox for commands from outside.
#pragma once

#include <filesystem>

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/kubernetes_spec.hpp"

namespace pgrehearse {

class KubernetesProvisioner : public Provisioner {
 public:
  // `runner` outlives the provisioner. Who only removes needs no cluster.
  KubernetesProvisioner(CommandRunner& runner, const std::filesystem::path& state,
                        KubernetesSpec kubernetes = {})
      : runner_(runner), registry_(state), kubernetes_(std::move(kubernetes)) {}

  // The cluster and the image.
  std::string probe(const SandboxSpec& spec, std::stop_token stop) override;
  // Throws Error(environment): see above.
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) override;
  // Registered ones; asks no cluster.
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  CommandRunner& runner_;
  Registry registry_;
  KubernetesSpec kubernetes_;
};

}  // namespace pgrehearse
