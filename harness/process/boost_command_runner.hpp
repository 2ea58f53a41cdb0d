// The real CommandRunner, on Boost.Process v2.
#pragma once

#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// Each command leads a process group of its own, inherits no descriptor but its three standard
// streams (input is empty), and dies with this process. Thread-safe: runs may overlap.
class BoostCommandRunner : public CommandRunner {
 public:
  CommandResult run(const Command& command, std::stop_token stop) override;
};

}  // namespace pgrehearse
