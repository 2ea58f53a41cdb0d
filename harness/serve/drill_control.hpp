// What the web pages, the API and the metrics of `serve` see of the scheduler, and what they may
// ask of it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/report/verdict.hpp"
#include "harness/serve/schedule/schedule.hpp"

namespace pgrehearse {

// A drill of this host or, with the ledger in PostgreSQL, of another one.
struct RunningDrill {
  std::string run_id;
  std::string host;
  pid_t pid = 0;  // on `host`; 0: not known
  Instant started;
  std::optional<Instant> due = {};  // absent: started by hand
  bool stopping = false;            // stop() was called
};

struct LastDrill {
  std::string run_id;
  Verdict verdict = Verdict::unknown;
  Instant started;
  std::optional<Seconds> seconds = {};
  std::string diagnosis;  // one line
};

struct ScheduledScenario {
  std::string name;
  std::filesystem::path file;
  std::string stanza;
  std::optional<ScheduleText> schedule;  // absent: drills are only started by hand
  std::optional<Instant> next_start;     // of the next drill; with its jitter
  std::optional<RunningDrill> running;
  std::optional<LastDrill> last;
  // Why a drill that is due has not started: "another drill of stanza orders is running".
  std::string waiting_for;
};

// A file of the directory that could not be loaded.
struct ScenarioFileError {
  std::filesystem::path file;
  std::vector<std::string> messages;  // "weekly.yaml:3:17: ...", one per error
  std::string previous_version_of;    // name of the scenario that stays in force; empty: none
};

struct SchedulerSnapshot {
  Instant at;
  std::string host;
  bool stopping = false;                     // no drill will be started any more
  std::vector<ScheduledScenario> scenarios;  // by name
  std::vector<ScenarioFileError> errors;     // by file
};

struct StartedDrill {
  std::string run_id;  // its record is in the run directory <scenario>/<run_id>
  pid_t pid = 0;
};

// Every member can be called from any thread.
class DrillControl {
 public:
  virtual ~DrillControl() = default;

  [[nodiscard]] virtual SchedulerSnapshot snapshot() const = 0;

  // Starts a drill of the scenario now, whatever its schedule; `requested_by` is recorded as its
  // operator. Throws Error(usage) if there is no such scenario, Error(environment) if another drill
  // of its stanza is running, the host's budget is used up or the scheduler is stopping.
  virtual StartedDrill start(std::string_view scenario, std::string_view requested_by) = 0;

  // Asks a running drill of this host to clean up and end (SIGTERM): its verdict becomes unknown,
  // and it is not retried. Returns at once. Throws Error(usage) if no such drill runs on this host.
  virtual void stop(std::string_view run_id) = 0;
};

}  // namespace pgrehearse
