// Runs on the host: starts QEMU, and connects the sockets of the sandbox to the virtual machine's
// virtio port. A process of its own, so that a kept virtual machine stays reachable after the
// drill.
#pragma once

#include <span>

namespace pgrehearse::agent {

struct SupervisorFiles {
  const char* sessions = nullptr;  // sockets to create
  const char* server = nullptr;
  const char* log = nullptr;  // of QEMU
};

// `qemu` is the command line; "@" in it is replaced with the descriptor of the virtio port. Returns
// when the virtual machine answers (0), or when it failed to start (1, with QEMU's log on standard
// error); the supervisor continues in the background. Neither it nor QEMU outlives the other.
int run_supervisor(const SupervisorFiles& files, std::span<char*> qemu);

}  // namespace pgrehearse::agent
