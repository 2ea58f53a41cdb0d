// Runs commands inside a virtual machine or a container, as sessions with its agent
// (harness/guest).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// The words of a kind of place for what goes wrong.
struct GuestWords {
  std::string image;         // by the name that a user knows
  std::string image_advice;  // what to do where it lacks a program
  std::string gone;          // what has happened when the agent does not answer
  std::string gone_advice;
  std::string code;   // of what goes wrong with the place: "PGR-ENV-VM"
  uid_t account = 0;  // that the agent, or its keeper, runs as
};

// The command's account and confinement are those of the place. A program that the image lacks
// throws Error(environment, PGR-ENV-BINARY), a place that is gone Error(environment, code).
// What a command leaves running in its group goes with it. Thread-safe.
class AgentCommandRunner : public CommandRunner {
 public:
  // `socket`: where the agent, or its keeper, listens for sessions.
  AgentCommandRunner(std::filesystem::path socket, GuestWords words)
      : socket_(std::move(socket)), words_(std::move(words)) {}

  CommandResult run(const Command& command, std::stop_token stop) override {
    return run(command, {}, std::move(stop));
  }
  // With `input` as its standard input.
  CommandResult run(const Command& command, std::string_view input, std::stop_token stop);

 private:
  std::filesystem::path socket_;
  GuestWords words_;
};

}  // namespace pgrehearse
