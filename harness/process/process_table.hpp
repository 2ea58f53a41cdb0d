// The processes of this host: which belong to a sandbox, and how they are ended for good.
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
  std::uint64_t started = 0;  // ticks since boot: with the pid, names one process for ever
  uid_t owner = 0;
  gid_t owner_group = 0;
  // A zombie runs nothing and holds nothing: it counts as gone.
  [[nodiscard]] bool alive() const { return state != 'Z' && state != 'X'; }
};

std::vector<ProcessInfo> all_processes();

// As whom to open /proc/PID/{cwd,environ,fd,maps} (ActingAccount): root in a container may look
// into another account's process only as that account (ptrace(2), PTRACE_MODE_READ_FSCREDS).
Account owner_of(const ProcessInfo& process);

// By what the processes of one sandbox are recognised.
struct ProcessMark {
  std::string label;  // an entry of the environment, "PGREHEARSE_SANDBOX=..."
  // Working directories below these count too: PostgreSQL overwrites its environment. Only of
  // processes of `owner`, and never a person's shell that happens to stand there.
  std::vector<std::filesystem::path> directories;
  uid_t owner = 0;
  pid_t spared = 0;  // is none of them, though its descendants are; 0: none is spared
};

// The living processes with the mark and their descendants; never this process or one that it
// descends from.
std::vector<ProcessInfo> processes_with(const ProcessMark& mark);

// Sends SIGTERM (to PostgreSQL SIGQUIT, an immediate shutdown), waits up to `timeout`, then sends
// SIGKILL to those that remain and to new ones for up to five more seconds. Returns all processes
// that it ended; processes_with() finds those that are still alive.
std::vector<ProcessInfo> end_processes(const ProcessMark& mark, std::chrono::milliseconds timeout);

// Collects children that this process did not start itself: those that it adopted as a subreaper.
void reap_adopted_children();

// Names below /dev/shm that these processes map ("PostgreSQL.123").
std::vector<std::string> shared_memory_files_of(std::span<const ProcessInfo> processes);

}  // namespace pgrehearse
