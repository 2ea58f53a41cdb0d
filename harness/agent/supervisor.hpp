// On the host: starts the machine, and makes its one port into sockets that many may connect to.
// A process of its own, so that a kept machine stays within reach when the drill is over.
#pragma once

#include <span>

namespace pgrehearse::guest {

struct SupervisorFiles {
  const char* sessions = nullptr;  // sockets that it makes
  const char* server = nullptr;
  const char* log = nullptr;  // what QEMU says
};

// `machine` is QEMU's command line; "@" in it stands for the descriptor that is its port. Waits
// until the machine answers, and lives on in the background until it ends; the one never outlives
// the other. Returns the foreground's exit code: 0 when the machine has answered, else 1 with what
// QEMU said on standard error.
int run_supervisor(const SupervisorFiles& files, std::span<char*> machine);

}  // namespace pgrehearse::guest
