// Namespaces for a command that runs code of a restored database: see Isolation in command.hpp.
#pragma once

#include <string>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

struct AvailableIsolation {
  Isolation means;  // without hidden files
  // "network namespace (Operation not permitted)", one for each that is not available.
  std::vector<std::string> missing;
};

// Tries each means in a thread of its own, which then ends.
AvailableIsolation available_isolation();

// Moves the calling process into new namespaces. `ruleset`: a Landlock ruleset that shall allow
// writes to the new /dev/shm, -1 for none. Async-signal-safe, for a child between fork() and exec()
// that has not yet changed its account. Returns 0 or an errno.
int enter_isolation(const Isolation& isolation, int ruleset) noexcept;

// The same for the PID namespace, in the child that enter_isolation() was called in; returns in a
// grandchild. The child itself waits for the grandchild and then ends in the same way, and between
// them is the first process of the namespace. Signals to their process group reach only the
// grandchild, except for SIGKILL. `own_proc`: /proc shows the namespace's processes only; needs the
// mount namespace of enter_isolation().
int enter_process_namespace(bool own_proc) noexcept;

}  // namespace pgrehearse
