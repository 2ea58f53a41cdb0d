// Runs commands in a virtual machine or a container, through its agent (harness/agent).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/common/finding_code.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// Texts of the errors for one kind of sandbox.
struct AgentMessages {
  std::string image;       // as the user named it
  std::string image_hint;  // when the image lacks a program
  std::string ended;       // when the agent does not answer
  std::string ended_hint;
  FindingCode code = FindingCode::none;  // of both
  uid_t account = 0;                     // of the agent or the supervisor
};

// Commands run under the account and the restrictions of the sandbox; those of the Command are
// ignored. Throws Error(environment): env_binary when the image lacks the program, the code of
// AgentMessages when the sandbox has ended. The process group of a command ends with the command.
// Thread-safe.
class AgentCommandRunner : public CommandRunner {
 public:
  // `socket`: where the agent or the supervisor listens for sessions.
  AgentCommandRunner(std::filesystem::path socket, AgentMessages messages)
      : socket_(std::move(socket)), texts_(std::move(messages)) {}

  CommandResult run(const Command& command, std::stop_token stop) override {
    return run(command, {}, std::move(stop));
  }
  // `input` is the standard input of the command.
  CommandResult run(const Command& command, std::string_view input, std::stop_token stop);

 private:
  std::filesystem::path socket_;
  AgentMessages texts_;
};

}  // namespace pgrehearse
