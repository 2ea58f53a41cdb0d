// Runs commands inside a container as the engine's `exec`.
#pragma once

#include <string>

#include "harness/process/command_runner.hpp"
#include "harness/sandbox/container_engine.hpp"

namespace pgrehearse {

// The command's account and confinement are the container's. A program that the image lacks throws
// Error(environment, PGR-ENV-BINARY), an engine that goes away PGR-ENV-ENGINE. What a command
// leaves running in its group goes with the container, not with the command. Thread-safe.
class ContainerCommandRunner : public CommandRunner {
 public:
  // `engine` outlives the runner. `image` is for messages.
  ContainerCommandRunner(const ContainerEngine& engine, std::string container, std::string image)
      : engine_(engine), container_(std::move(container)), image_(std::move(image)) {}

  CommandResult run(const Command& command, std::stop_token stop) override;

 private:
  const ContainerEngine& engine_;
  std::string container_;
  std::string image_;
};

}  // namespace pgrehearse
