// A command and its result. No shell is involved: a command is an argument vector.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// An operating system account, from the password database (getpwnam).
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary groups, including the primary group
  std::filesystem::path home;
};

// Throws Error(environment) when the account does not exist.
Account find_account(const std::string& name);
std::optional<Account> find_account(uid_t uid);
std::optional<gid_t> find_group(const std::string& name);
// The account that this process runs as.
Account current_account();

// How a command that runs code of a restored database is kept apart from this host, beyond
// `confine_writes_to`. Each means needs root and a kernel that allows it: see isolation.hpp.
struct Isolation {
  bool network = true;  // a network namespace with only its own loopback interface
  bool memory = true;   // an IPC namespace, and a mount namespace for what is hidden
  std::vector<std::filesystem::path>
      hidden;  // empty inside; /dev/shm can be written; needs `memory`
  // A PID namespace: the processes of the command see and reach no others, and end with it. An exit
  // code of 128 or more means a signal.
  bool processes = true;
};

struct Command {
  std::string program;  // absolute path, or a name that is looked up in PATH
  std::vector<std::string> arguments;
  // Added to PATH, LANG=C.UTF-8, LC_ALL=C.UTF-8, TZ=UTC, HOME and USER of the account, and
  // pgbackrest_variables() unless the command is isolated; nothing else is inherited.
  std::map<std::string, std::string> environment;
  std::filesystem::path working_directory = "/";
  std::filesystem::path input = {};  // file for standard input; empty: nothing to read
  // Run as this account; only root may name a different account from its own.
  std::optional<Account> account;
  // On expiry the whole process group is ended.
  std::chrono::milliseconds timeout{std::chrono::minutes(10)};
  // Sent to the process group on timeout or stop request; SIGKILL follows after `grace`.
  int stop_signal = 15;  // SIGTERM
  std::chrono::milliseconds grace{std::chrono::seconds(10)};
  // Called with each complete line of standard output and standard error as it arrives.
  std::function<void(std::string_view line)> on_line;
  // Called with the process group, once the command runs.
  std::function<void(pid_t group)> on_start;
  // Keep at most this many bytes of each stream, the newest, in the result.
  std::size_t keep_output = std::size_t{4} << 20;
  // If not empty, the command and its children may write only below these paths (Landlock; no
  // effect on kernels without it).
  std::vector<std::filesystem::path> confine_writes_to;
  // Set for code of a restored database. A sandbox leaves out what the host does not allow.
  std::optional<Isolation> isolation;
  // Runs too often for a list of all commands.
  bool unlisted = false;
};

struct CommandResult {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  bool timed_out = false;
  bool cancelled = false;
  bool truncated = false;  // more output than `keep_output`
  std::string output;
  std::string error_output;
  std::chrono::milliseconds duration{0};

  [[nodiscard]] bool succeeded() const { return exit_code == 0; }
};

// Throws Error of kind `interrupted` when a stop request ended the command.
void throw_if_cancelled(const CommandResult& result);

// This process's PGBACKREST_* variables that say how the repository is reached. Others, for example
// PGBACKREST_TARGET or PGBACKREST_SET, would change what a drill does.
std::map<std::string, std::string> pgbackrest_variables();

// The command line for reports, quoted where needed.
std::string to_text(const Command& command);

}  // namespace pgrehearse
