// A server that a test needs, as a child process on a port of localhost.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// A port that nothing listened on a moment ago.
int free_port();

class ServerProcess {
 public:
  // Starts `command` and waits until something listens on `port`. Throws with the end of the
  // command's output if it ends first.
  ServerProcess(CommandRunner& runner, Command command, int port);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  // Ends it.
  ~ServerProcess() = default;

 private:
  CommandResult result_;  // valid when `ended_`
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  // a stop request ends the process
};

}  // namespace pgrehearse
