// The restored PostgreSQL server inside a sandbox: start, talk, promote, stop.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/postgres/control_data.hpp"
#include "harness/postgres/quarantine.hpp"
#include "harness/sandbox/instance_sessions.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// Reads the cluster's pg_controldata inside the sandbox. Throws Error(repository) when it is
// unreadable: the restored pg_control is damaged.
ControlData read_control_data(Sandbox& sandbox, const std::filesystem::path& data,
                              std::stop_token stop);

// While this file exists, restore_command finds nothing: replay cannot go past the landing.
std::filesystem::path closed_archive_marker(const SandboxPaths& paths);

// Owns the running server; its destructor ends it at once (immediate shutdown).
class Instance {
 public:
  // `log` receives every line of the server's log. Does not start anything.
  Instance(Sandbox& sandbox, std::filesystem::path log);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  // Writes the generated configuration and starts the server. Does not wait until it accepts.
  void start(const Quarantine& quarantine);
  [[nodiscard]] bool running() const;
  // Exit code of the server that has ended; nullopt while it runs.
  [[nodiscard]] std::optional<CommandResult> ended() const;

  // Waits until the server accepts connections, has ended, or the deadline passes; true when it
  // accepts. Driven by the server's log: no polling.
  bool wait_until_accepting(std::chrono::milliseconds deadline, std::stop_token stop);

  // Superuser connection, without a database to any that accepts it; `failure_kind` says what a
  // failure means at this stage.
  Connection connect(const std::string& database, ErrorKind failure_kind, std::stop_token stop);
  // As connect() without a database, kept open for short queries of one thread: opened when there
  // is none.
  Connection& session(ErrorKind failure_kind, std::stop_token stop);
  void end_session() { session_.reset(); }
  // Databases that allow connections, by name; in the open session, if any.
  std::vector<std::string> databases(std::stop_token stop);

  // Closes the archive, ends recovery and disables event triggers; returns when the server is
  // read-write, with a checkpoint under way so that the clean stop finds little to write. Throws
  // Error(recovery).
  void promote(std::stop_token stop);
  // Clean (fast) shutdown. Throws Error(startup) when it does not end in time.
  void stop(std::stop_token stop);
  // Writes the generated configuration for leave_running(); starts nothing.
  void configure(const Quarantine& quarantine);
  // Starts the server again on its own, so that it outlives this object and process. The archive is
  // closed: a standby waits where it is. Its log goes
  // to the sandbox's log directory. Throws Error(startup).
  void leave_running();
  // Ends it at once; never throws.
  void kill();

  // The newest log lines, oldest first, at most a few thousand.
  [[nodiscard]] std::vector<std::string> log_lines() const;
  // Whether one of the newest twenty lines since the last start holds `text`.
  [[nodiscard]] bool just_logged(std::string_view text) const;
  [[nodiscard]] const std::filesystem::path& log_file() const { return log_path_; }
  // False if a line could not be written to it.
  [[nodiscard]] bool log_complete() const;

 private:
  void on_log_line(std::string_view line);
  CommandResult stop_with_pg_ctl(const std::stop_token& stop);
  CommandResult wait_for_end(const std::stop_token& stop);
  std::string promote_without_session(const std::stop_token& stop);
  void request_promotion(const std::stop_token& stop);

  Sandbox& sandbox_;
  InstanceSessions sessions_;
  std::filesystem::path log_path_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::ofstream log_;
  std::uint64_t log_size_ = 0;
  bool log_complete_ = true;
  std::vector<std::string> lines_;
  std::size_t lines_since_start_ = 0;
  bool accepting_ = false;
  std::optional<CommandResult> result_;
  std::vector<std::string> options_;  // -c name=value ... of the last start
  std::jthread server_;
  std::optional<Connection> session_;
  std::jthread flushing_;  // last: its connection ends before the server does
};

}  // namespace pgrehearse
