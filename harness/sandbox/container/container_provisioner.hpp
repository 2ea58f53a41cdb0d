// Makes sandboxes in containers of one engine and finds what killed drills left of theirs.
#pragma once

#include <filesystem>
#include <string>

#include "harness/sandbox/container/container_engine.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class ContainerProvisioner : public Provisioner {
 public:
  // `observer` sees every command that runs in a container.
  ContainerProvisioner(EngineKind kind, const std::filesystem::path& state,
                       CommandObserver observer = {});

  // The engine and the image; one that the engine lacks is pulled by create().
  std::string probe(const SandboxSpec& spec, std::stop_token stop) override;
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) override;
  // Registered ones, and containers that carry this registry's label and stand in it no more, or
  // have outlived their time. Without an engine that answers: the registered ones.
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  [[nodiscard]] ContainerEngine engine_at(const std::string& address) const;
  [[nodiscard]] std::string owner_of(const std::string& host) const;
  [[nodiscard]] Removal remove_unregistered(const Leftover& leftover) const;

  EngineKind kind_;
  Registry registry_;
  CommandObserver observer_;
};

}  // namespace pgrehearse
