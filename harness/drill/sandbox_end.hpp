// What becomes of the sandbox when the drill is over: removed with proof, or kept on request.
#pragma once

#include <memory>

#include "harness/drill/drill_record.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct SandboxParts {
  std::unique_ptr<Sandbox>& sandbox;    // may hold nullptr: there never was one
  std::unique_ptr<Instance>& instance;  // may hold nullptr; ended here
};

// Collects the logs first. `keep` leaves an instance that landed running. Never throws for what
// happens to the sandbox: the report tells it.
void end_sandbox(const SandboxParts& parts, bool keep, DrillRecord& record);

}  // namespace pgrehearse
