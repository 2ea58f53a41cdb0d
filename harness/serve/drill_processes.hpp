// The drills that the scheduler has started on this host. Each is a process in a session of its
// own, so that the end of the scheduler does not end it, and the next scheduler finds it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

// What a drill needs of its host.
struct HostDemand {
  Bytes memory = {};
  std::optional<Bytes> disk = {};        // absent: not known
  std::filesystem::path directory = {};  // parent of the sandbox; empty: the disk of another host
};

struct StartedProcess {
  std::string run_id;
  std::string scenario;
  std::string stanza;
  Instant started;
  std::optional<Instant> due = {};  // absent: started by hand
  HostDemand demand;
  pid_t pid = 0;
  bool stopping = false;
  bool running = true;  // false: it has ended; its entry has not been removed yet
};

class DrillProcesses {
 public:
  virtual ~DrillProcesses() = default;

  // Runs `pgrehearse run ...` with these arguments; returns its process id. `entry` describes it.
  // Throws Error(environment).
  virtual pid_t start(StartedProcess entry, const std::vector<std::string>& arguments) = 0;

  // By run id; also drills that an earlier scheduler has started.
  [[nodiscard]] virtual std::vector<StartedProcess> list() = 0;

  // Sends SIGTERM to a drill that is running.
  virtual void stop(const std::string& run_id) = 0;

  // Removes the entry of a drill that has ended; returns what it wrote to standard error.
  virtual std::string remove(const std::string& run_id) = 0;
};

}  // namespace pgrehearse
