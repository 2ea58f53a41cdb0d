// The seam to the operating system's processes.
#pragma once

#include <functional>
#include <stop_token>

#include "harness/process/command.hpp"

namespace pgrehearse {

// Is told of a command that ran, and what came of it.
using CommandObserver = std::function<void(const Command& command, const CommandResult& result)>;

class CommandRunner {
 public:
  virtual ~CommandRunner() = default;
  // Runs to the end, the deadline or the stop request, whichever is first; then the whole process
  // group is gone. Never throws for what the command does (exit codes, signals, deadline). Throws
  // Error(environment) when the program cannot be started at all.
  virtual CommandResult run(const Command& command, std::stop_token stop) = 0;
};

}  // namespace pgrehearse
