// How a local sandbox goes: its processes, its shared memory, its files; then a second look.
#pragma once

#include <sys/types.h>

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Environment variables that every process of a drill carries: the run id, for people, and the
// sandbox's root, by which the processes are found. A run id alone may exist under two state
// directories of one host.
inline constexpr const char* run_label = "PGREHEARSE_RUN";
inline constexpr const char* root_label = "PGREHEARSE_SANDBOX";

// Removes everything that the entry names, but not the entry itself. Never throws for what cannot
// be removed: that is in `remaining`. The process `spared`, if there is one, stays.
Removal remove_local_sandbox(const RegistryEntry& entry, pid_t spared = 0);

}  // namespace pgrehearse
