// Before a backup is blamed for a failed start: can this sandbox start a cluster at all?
#pragma once

#include <filesystem>
#include <stop_token>

#include "harness/postgres/control_data.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Makes a fresh cluster in the sandbox and starts it under the same quarantine (`control`: the
// restored cluster's minimum settings). Throws Error(environment) when that fails too.
void prove_sandbox_can_start(Sandbox& sandbox, const ControlData& control,
                             const std::filesystem::path& log, std::stop_token stop);

}  // namespace pgrehearse
