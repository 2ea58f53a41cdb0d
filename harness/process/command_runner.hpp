// The interface that runs commands.
#pragma once

#include <functional>
#include <stop_token>

#include "harness/process/command.hpp"

namespace pgrehearse {

// Called after each command.
using CommandObserver = std::function<void(const Command& command, const CommandResult& result)>;

class CommandRunner {
 public:
  virtual ~CommandRunner() = default;
  // Returns at the command's end, its timeout or a stop request, whichever comes first; its whole
  // process group has then ended. Exit codes, signals and timeouts are results. Throws
  // Error(environment) when the program cannot be started.
  virtual CommandResult run(const Command& command, std::stop_token stop) = 0;
};

}  // namespace pgrehearse
