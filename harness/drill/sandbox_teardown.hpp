// What becomes of the sandbox when the drill is over: removed with proof, or kept on request.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "harness/drill/drill_record.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct SandboxParts {
  std::unique_ptr<Sandbox>& sandbox;    // may hold nullptr: there never was one
  std::unique_ptr<Instance>& instance;  // may hold nullptr; ended here
};

// Runs `remove` as the phase `name` and tells of what it did; with something left a drill that
// passed is `unknown`, because of `complaint`.
struct RemovalPhase {
  std::string name;
  std::string complaint;
};
void record_removal(const RemovalPhase& phase, const std::function<Removal()>& remove,
                    DrillRecord& record);

// Collects the logs first. `keep` leaves an instance that landed running. Never throws for what
// happens to the sandbox: the report tells it.
void end_sandbox(const SandboxParts& parts, bool keep, DrillRecord& record);

}  // namespace pgrehearse
