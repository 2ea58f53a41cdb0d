// How a local sandbox goes: its processes, its shared memory, its files; then a second look.
#pragma once

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// The environment variable that every process of a drill carries.
inline constexpr const char* run_label = "PGREHEARSE_RUN";

// Removes everything that the entry names, but not the entry itself. Never throws for what cannot
// be removed: that is in `remaining`.
Removal remove_local_sandbox(const RegistryEntry& entry);

}  // namespace pgrehearse
