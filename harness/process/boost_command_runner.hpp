// The real CommandRunner, on Boost.Process v2.
#pragma once

#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// Each command runs in its own process group, inherits only its three standard streams (standard
// input is empty), and is killed when this process ends. Thread-safe.
class BoostCommandRunner : public CommandRunner {
 public:
  CommandResult run(const Command& command, std::stop_token stop) override;
};

}  // namespace pgrehearse
