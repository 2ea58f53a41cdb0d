// Removes the sandbox at the end of the drill and proves it, or keeps it on request.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "harness/drill/drill_record.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct SandboxParts {
  std::unique_ptr<Sandbox>& sandbox;    // may hold nullptr: none was created
  std::unique_ptr<Instance>& instance;  // may hold nullptr; stopped here
};

// Runs `remove` as the phase `name` and records what was removed. If something remains, a drill
// that passed becomes `unknown` with `complaint` as its diagnosis.
struct RemovalPhase {
  std::string name;
  std::string complaint;
};
void record_removal(const RemovalPhase& phase, const std::function<Removal()>& remove,
                    DrillRecord& record);

// Collects the logs first. `keep` leaves an instance that reached the recovery target running.
// Errors of the sandbox are recorded in the report, not thrown.
void end_sandbox(const SandboxParts& parts, bool keep, DrillRecord& record);

}  // namespace pgrehearse
