// Answers the WAL requests of a server in a virtual machine: its pipes are inside.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "harness/agent/client/agent_command_runner.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/sandbox/shared/wal_requests.hpp"

namespace pgrehearse {

class VmWalRelay {
 public:
  // Makes the pipes and the script of the client in the sandbox's directory of generated files.
  // `inside` outlives this object; `run` is called in a thread of this object. Throws
  // Error(environment).
  VmWalRelay(AgentCommandRunner& inside, Sandbox& sandbox, WalRequests::Run run);
  VmWalRelay(const VmWalRelay&) = delete;
  VmWalRelay& operator=(const VmWalRelay&) = delete;
  // Afterwards, clients find no WAL.
  ~VmWalRelay();

  // The client's command; takes a file's name and a destination.
  std::vector<std::string> client_of(WalRelayCommand command) {
    return received_.client_of(std::move(command), files_.script);
  }

 private:
  void serve(const std::stop_token& stop);

  AgentCommandRunner& inside_;
  WalRelayFiles files_;
  WalRequests received_;
  std::jthread thread_;
};

}  // namespace pgrehearse
