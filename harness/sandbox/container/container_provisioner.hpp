// Creates sandboxes in containers of one engine and removes leftovers of such sandboxes.
#pragma once

#include <filesystem>
#include <string>

#include "harness/sandbox/container/container_engine.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class ContainerProvisioner : public Provisioner {
 public:
  // `host` runs the backup tool where a container cannot reach the repository; `observer` is called
  // with every command that ran in a container.
  ContainerProvisioner(EngineKind kind, CommandRunner& host, const std::filesystem::path& state,
                       CommandObserver observer = {});

  // The engine and the image; create() pulls an image that the engine does not have.
  std::string probe(const SandboxSpec& spec, std::stop_token stop) override;
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) override;
  // Registered sandboxes, containers with the label of this registry that are not registered, and
  // expired containers. If the engine does not respond: registered sandboxes only.
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  [[nodiscard]] ContainerEngine engine_at(const std::string& address) const;
  [[nodiscard]] std::string owner_of(const std::string& host) const;
  [[nodiscard]] Removal remove_unregistered(const Leftover& leftover) const;

  EngineKind kind_;
  CommandRunner& host_;
  Registry registry_;
  CommandObserver observer_;
};

}  // namespace pgrehearse
