// The processes of this host: finds and ends those of a sandbox.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

// One line of /proc/PID/stat, and the owner.
struct ProcessInfo {
  pid_t pid = 0;
  std::string name;
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  int terminal = 0;           // 0: none
  std::uint64_t started = 0;  // ticks since boot: unique together with the pid
  uid_t owner = 0;
  gid_t owner_group = 0;
  // A zombie runs nothing and holds no resources: it counts as ended.
  [[nodiscard]] bool alive() const { return state != 'Z' && state != 'X'; }
};

std::vector<ProcessInfo> all_processes();

// The account for reading /proc/PID/{cwd,environ,fd,maps} (with ActingAccount): root in a container
// may inspect a process only as its owner (ptrace(2), PTRACE_MODE_READ_FSCREDS).
Account owner_of(const ProcessInfo& process);

// Identifies the processes of one sandbox.
struct ProcessMark {
  std::string label;  // an entry of the environment, "PGREHEARSE_SANDBOX=..."
  // Also processes of `owner` whose working directory is below one of these, since PostgreSQL
  // overwrites its environment. Interactive shells do not count.
  std::vector<std::filesystem::path> directories;
  uid_t owner = 0;
  pid_t spared = 0;  // not included, though its descendants are; 0: none
};

// The running processes with the mark, and their descendants; never this process or its ancestors.
// If this process is a subreaper, also its adopted children without any label that can gain no
// privileges: a confined command cannot undo that, though it can drop its label.
std::vector<ProcessInfo> processes_with(const ProcessMark& mark);

// Sends SIGTERM (to PostgreSQL SIGQUIT, an immediate shutdown), waits up to `timeout`, then sends
// SIGKILL to those that remain and to new ones for up to five more seconds. Returns all processes
// that it ended; processes_with() finds those that are still alive.
std::vector<ProcessInfo> end_processes(const ProcessMark& mark, std::chrono::milliseconds timeout);

// Reaps children that this process adopted as a subreaper and did not start itself.
void reap_adopted_children();

// Names of the files below /dev/shm that these processes map ("PostgreSQL.123").
std::vector<std::string> shared_memory_files_of(std::span<const ProcessInfo> processes);

}  // namespace pgrehearse
