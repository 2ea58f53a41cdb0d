// Removes processes, shared memory and files of a sandbox on this host, and checks that nothing
// remains.
#pragma once

#include <sys/types.h>

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Environment variables of every process of a drill: the run id for information, and the sandbox's
// root, by which processes are found. The same run id may exist in two state directories of a host.
inline constexpr const char* run_label = "PGREHEARSE_RUN";
inline constexpr const char* root_label = "PGREHEARSE_SANDBOX";

// Does not remove the registry entry. Never throws for what cannot be removed: that is in
// `remaining`. Does not end the process `spared` (0: none).
Removal remove_local_sandbox(const RegistryEntry& entry, pid_t spared = 0);

}  // namespace pgrehearse
