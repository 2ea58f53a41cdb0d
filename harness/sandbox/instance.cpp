#include "harness/sandbox/instance.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>

#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t kept_lines = 5000;
constexpr std::chrono::minutes promotion_deadline(10);

bool ends_recovery(Connection& connection, const std::stop_token& stop) {
  constexpr std::chrono::milliseconds poll_interval(10);
  const auto deadline = std::chrono::steady_clock::now() + promotion_deadline;
  return poll_until(deadline, poll_interval, stop, [&] {
    return connection.query("select pg_is_in_recovery()").text(0, 0) != "t";
  });
}

Error promotion_failed(std::string_view reason) {
  return {ErrorKind::recovery,
          fmt::format("the instance did not finish its promotion within {} minutes{}{}",
                      promotion_deadline.count(), reason.empty() ? "" : ": ", trim(reason)),
          "see the end of logs/postgresql.log in the run directory", FindingCode::promotion_failed};
}

}  // namespace

ControlData read_control_data(Sandbox& sandbox, const std::filesystem::path& data,
                              std::stop_token stop) {
  const auto result = sandbox.run({.program = sandbox.program("pg_controldata"),
                                   .arguments = {"-D", data.string()},
                                   .environment = {{"LC_ALL", "C"}},
                                   .timeout = std::chrono::minutes(1)},
                                  stop);
  throw_if_cancelled(result);
  if (!result.succeeded()) {
    throw Error(ErrorKind::repository,
                "the restored pg_control cannot be read: " + result.error_output,
                "try an older backup with repository.backup", FindingCode::control_unreadable,
                "global/pg_control");
  }
  return parse_control_data(result.output);
}

std::filesystem::path closed_archive_marker(const SandboxPaths& paths) {
  return paths.configuration / "archive-closed";
}

Instance::Instance(Sandbox& sandbox, std::filesystem::path log)
    : sandbox_(sandbox),
      sessions_(sandbox),
      log_path_(std::move(log)),
      log_(log_path_, std::ios::app) {}

Instance::~Instance() { kill(); }

void Instance::configure(const Quarantine& quarantine) {
  const auto& paths = sandbox_.paths();
  sandbox_.write_file(paths.configuration / "postgresql.conf", quarantine.postgresql_conf);
  sandbox_.write_file(paths.configuration / "pg_hba.conf", quarantine.hba);
  sandbox_.write_file(paths.configuration / "pg_ident.conf", quarantine.ident);
  options_.clear();
  for (const auto& [name, value] : quarantine.command_line) {
    options_.insert(options_.end(), {"-c", fmt::format("{}={}", name, value)});
  }
}

void Instance::start(const Quarantine& quarantine) {
  end_session();
  configure(quarantine);
  Command command{.program = sandbox_.program("postgres"),
                  .arguments = {"-D", sandbox_.paths().data.string()},
                  .environment = {{"LC_ALL", "C.UTF-8"}},
                  .timeout = std::chrono::hours(24 * 30),
                  .stop_signal = SIGQUIT,
                  .grace = std::chrono::seconds(10),
                  .on_line = [this](std::string_view line) { on_log_line(line); },
                  .keep_output = std::size_t{1} << 16,
                  .isolation = Isolation{}};
  command.arguments.insert(command.arguments.end(), options_.begin(), options_.end());
  {
    const std::lock_guard lock(mutex_);
    accepting_ = false;
    result_.reset();
    lines_since_start_ = 0;
  }
  server_ = std::jthread([this, command = std::move(command)](const std::stop_token& stop) {
    CommandResult result;
    try {
      result = sandbox_.run(command, stop);
    } catch (const std::exception& error) {
      on_log_line(fmt::format("FATAL:  {}", error.what()));
    }
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    accepting_ = false;
    changed_.notify_all();
  });
}

void Instance::on_log_line(std::string_view line) {
  const std::lock_guard lock(mutex_);
  // Code in the copy can write to the log without end.
  constexpr std::uint64_t longest_log = std::uint64_t{256} << 20U;
  log_size_ += line.size() + 1;
  if (log_complete_ && log_size_ <= longest_log) log_ << line << '\n' << std::flush;
  if (!log_ || log_size_ > longest_log) log_complete_ = false;
  if (lines_.size() == kept_lines) lines_.erase(lines_.begin(), lines_.begin() + kept_lines / 2);
  lines_.emplace_back(line);
  ++lines_since_start_;
  // "read only connections" until PostgreSQL 13, "read-only connections" from 14.
  if (line.find("database system is ready to accept") != std::string_view::npos) {
    accepting_ = true;
    changed_.notify_all();
  }
}

bool Instance::running() const {
  const std::lock_guard lock(mutex_);
  return server_.joinable() && !result_;
}

std::optional<CommandResult> Instance::ended() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

bool Instance::wait_until_accepting(std::chrono::milliseconds deadline, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, deadline, [this] { return accepting_ || result_.has_value(); });
  throw_if_stopped(stop);
  return accepting_;
}

Connection Instance::connect(const std::string& database, ErrorKind failure_kind,
                             std::stop_token stop) {
  return sessions_.open(database, failure_kind, stop);
}

Connection& Instance::session(ErrorKind failure_kind, std::stop_token stop) {
  if (!session_) session_ = connect({}, failure_kind, std::move(stop));
  return *session_;
}

std::vector<std::string> Instance::databases(std::stop_token stop) {
  return session_ ? databases_in(*session_) : sessions_.databases(stop);
}

// Returns what failed. As pg_ctl does it: a file, then SIGUSR1.
std::string Instance::promote_without_session(const std::stop_token& stop) {
  const auto data = sandbox_.paths().data;
  sandbox_.write_file(data / "promote", "");
  if (sandbox_.signal_server(SIGUSR1)) return {};
  const auto result = sandbox_.run({.program = sandbox_.program("pg_ctl"),
                                    .arguments = {"promote", "-D", data.string(), "-W"},
                                    .timeout = std::chrono::minutes(1)},
                                   stop);
  throw_if_cancelled(result);
  if (result.succeeded()) return {};
  return result.error_output.empty() ? "pg_ctl failed" : result.error_output;
}

// Replay may be paused, or running without accepting connections.
void Instance::request_promotion(const std::stop_token& stop) {
  if (!wait_until_accepting(std::chrono::milliseconds(0), stop)) {
    const auto failure = promote_without_session(stop);
    const bool accepts = failure.empty() && wait_until_accepting(promotion_deadline, stop);
    if (!accepts) throw promotion_failed(failure);
    return;
  }
  auto connection = connect({}, ErrorKind::recovery, stop);
  try {
    connection.query("select pg_promote(false)");
    // A paused server looks for the promotion only once a second, unless it is woken.
    connection.query("select pg_wal_replay_resume()");
  } catch (const SqlError& error) {
    constexpr std::string_view not_in_recovery = "55000";
    if (error.sqlstate() != not_in_recovery) throw;
    spdlog::debug("promotion: {}", error.what());
  }
}

void Instance::promote(std::stop_token stop) {
  sandbox_.write_file(closed_archive_marker(sandbox_.paths()), "");
  request_promotion(stop);
  auto connection = connect({}, ErrorKind::recovery, stop);
  if (!ends_recovery(connection, stop)) {
    throw promotion_failed({});
  }
  sessions_.disable_event_triggers(stop);
  flushing_ = std::jthread([this](std::stop_token over) {
    try {
      connect({}, ErrorKind::recovery, std::move(over)).query("checkpoint");
    } catch (const std::exception& error) {
      spdlog::debug("the checkpoint after promotion: {}", error.what());
    }
  });
}

void Instance::stop(std::stop_token stop) {
  end_session();
  if (!running()) return;
  auto result = sandbox_.signal_server(SIGINT) ? wait_for_end(stop) : stop_with_pg_ctl(stop);
  throw_if_cancelled(result);
  if (!result.succeeded()) {
    throw Error(ErrorKind::startup, "the instance did not stop cleanly: " + result.error_output,
                "see the end of logs/postgresql.log in the run directory",
                FindingCode::shutdown_failed);
  }
  server_.join();
}

CommandResult Instance::stop_with_pg_ctl(const std::stop_token& stop) {
  const auto& paths = sandbox_.paths();
  return sandbox_.run(
      {.program = sandbox_.program("pg_ctl"),
       .arguments = {"stop", "-D", paths.data.string(), "-m", "fast", "-w", "-t", "600"},
       .timeout = std::chrono::minutes(11)},
      stop);
}

CommandResult Instance::wait_for_end(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, std::chrono::minutes(10), [this] { return result_.has_value(); });
  throw_if_stopped(stop);
  return result_.value_or(CommandResult{.error_output = "it was still running after 10 minutes"});
}

void Instance::leave_running() {
  stop({});
  const auto& paths = sandbox_.paths();
  // This process may fetch WAL for the server: a request when it is gone would end the server.
  sandbox_.write_file(closed_archive_marker(paths), "");
  std::string options;
  for (const auto& option : options_) options += fmt::format("'{}' ", option);
  // No WAL will come: ten copies that asked for it ten times a second kept two cores busy.
  options += "'-c' 'wal_retrieve_retry_interval=1min'";
  const auto result =
      sandbox_.run({.program = sandbox_.program("pg_ctl"),
                    .arguments = {"start", "-D", paths.data.string(), "-l",
                                  paths.logs / "postgresql.log", "-w", "-t", "600", "-o", options},
                    .timeout = std::chrono::minutes(11),
                    // A PID namespace would end with pg_ctl.
                    .isolation = Isolation{.processes = false}},
                   {});
  if (!result.succeeded()) {
    throw Error(ErrorKind::startup, "the instance did not start again: " + result.error_output);
  }
}

void Instance::kill() {
  end_session();
  if (!server_.joinable()) return;
  server_.request_stop();
  server_.join();
}

bool Instance::just_logged(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  const auto newest =
      std::min({std::ptrdiff_t{20}, std::ssize(lines_), std::ptrdiff_t(lines_since_start_)});
  return std::any_of(lines_.end() - newest, lines_.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

bool Instance::log_complete() const {
  const std::lock_guard lock(mutex_);
  return log_complete_;
}

std::vector<std::string> Instance::log_lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

}  // namespace pgrehearse
