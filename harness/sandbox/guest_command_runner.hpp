// Runs commands inside a virtual machine, as sessions with its agent (harness/guest).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// The command's account and confinement are the machine's, its environment is all that there is. A
// program that the image lacks throws Error(environment, PGR-ENV-BINARY), a machine that is gone
// PGR-ENV-VM. What a command leaves running in its group goes with it. Thread-safe.
class VmCommandRunner : public CommandRunner {
 public:
  // `socket`: the keeper's, for sessions. `image` is for messages.
  VmCommandRunner(std::filesystem::path socket, std::string image)
      : socket_(std::move(socket)), image_(std::move(image)) {}

  CommandResult run(const Command& command, std::stop_token stop) override {
    return run(command, {}, std::move(stop));
  }
  // With `input` as its standard input.
  CommandResult run(const Command& command, std::string_view input, std::stop_token stop);

 private:
  std::filesystem::path socket_;
  std::string image_;
};

}  // namespace pgrehearse
