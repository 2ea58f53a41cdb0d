// A CommandRunner with a simulated program `postgres`, which logs what the test specifies and ends
// when it is stopped. Every other program has scripted responses.
#pragma once

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/scripted_command_runner.hpp"

namespace pgrehearse {

class FakePostgres : public CommandRunner {
 public:
  static constexpr const char* ready =
      "LOG:  database system is ready to accept read-only connections";

  // What one start of the server does.
  struct Start {
    std::vector<std::string> log = {ready};
    std::optional<CommandResult> ends = {};  // right after its log; nullopt: it runs on
    std::function<void()> before_log = {};
  };

  // pg_controldata's output for the restored cluster of a FakeRepository.
  static std::string control_data(int max_connections = 100) {
    return fmt::format(R"(Database system identifier:           7710428306718581329
Database cluster state:               in archive recovery
Latest checkpoint location:           0/2000060
Latest checkpoint's TimeLineID:       1
Minimum recovery ending location:     0/2000100
Backup start location:                0/2000028
max_connections setting:              {}
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           0
max_locks_per_xact setting:           64
Bytes per WAL segment:                16777216
Data page checksum version:           1
)",
                       max_connections);
  }

  // Each start takes the next; the last repeats.
  void on_starts(std::vector<Start> starts) {
    const std::lock_guard lock(mutex_);
    next_ = {starts.begin(), starts.end()};
  }
  void on_start(Start start) { on_starts({std::move(start)}); }

  // pg_ctl: a stop that succeeds ends the server, a promotion makes it accept connections.
  CommandResult pg_ctl = ScriptedCommandRunner::success();
  // All other programs.
  ScriptedCommandRunner programs;

  // A line of the running server.
  void log(const std::string& line) {
    std::function<void(std::string_view)> on_line;
    {
      const std::lock_guard lock(mutex_);
      on_line = on_line_;
    }
    if (on_line) on_line(line);
  }
  // The running server ends by itself.
  void end(const CommandResult& result) {
    const std::lock_guard lock(mutex_);
    ended_ = result;
    changed_.notify_all();
  }

  CommandResult run(const Command& command, std::stop_token stop) override {
    const auto program = std::filesystem::path(command.program).filename();
    if (command.arguments == std::vector<std::string>{"--version"}) {
      return ScriptedCommandRunner::success(
          fmt::format("{} (PostgreSQL) 15.14\n", program.native()));
    }
    if (program == "postgres") return serve(command, stop);
    if (program != "pg_ctl") return programs.run(command, stop);
    if (command.arguments.front() == "promote") log(ready);
    const std::lock_guard lock(mutex_);
    controls_.push_back(command);
    if (stop.stop_requested()) return {.cancelled = true};
    if (pg_ctl.succeeded() && command.arguments.front() == "stop") {
      ended_ = ScriptedCommandRunner::success();
      changed_.notify_all();
    }
    return pg_ctl;
  }

  [[nodiscard]] std::vector<Command> starts() const {
    const std::lock_guard lock(mutex_);
    return starts_;
  }
  [[nodiscard]] std::vector<Command> controls() const {
    const std::lock_guard lock(mutex_);
    return controls_;
  }
  [[nodiscard]] bool running() const {
    const std::lock_guard lock(mutex_);
    return static_cast<bool>(on_line_);
  }

 private:
  CommandResult serve(const Command& command, const std::stop_token& stop) {
    Start start;
    {
      const std::lock_guard lock(mutex_);
      starts_.push_back(command);
      if (!next_.empty()) start = next_.front();
      if (next_.size() > 1) next_.pop_front();
      ended_.reset();
      on_line_ = command.on_line;
    }
    if (start.before_log) start.before_log();
    for (const auto& line : start.log) command.on_line(line);
    std::unique_lock lock(mutex_);
    if (!start.ends) {
      changed_.wait(lock, stop, [this] { return ended_.has_value(); });
      start.ends = ended_.value_or(CommandResult{.signal = command.stop_signal, .cancelled = true});
    }
    on_line_ = nullptr;
    return *start.ends;
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Start> next_;
  std::optional<CommandResult> ended_;
  std::function<void(std::string_view)> on_line_;
  std::vector<Command> starts_;
  std::vector<Command> controls_;
};

}  // namespace pgrehearse
