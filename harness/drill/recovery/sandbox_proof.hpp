// Proves that a sandbox can start a cluster at all, before a failed start counts against the
// backup.
#pragma once

#include <filesystem>
#include <stop_token>

#include "harness/postgres/control_data.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Creates a new cluster in the sandbox and starts it under the same quarantine (`control`: the
// restored cluster's minimum settings). Throws Error(environment) when that fails too.
void prove_sandbox_can_start(Sandbox& sandbox, const ControlData& control,
                             const std::filesystem::path& log, std::stop_token stop);

}  // namespace pgrehearse
