#include "harness/drill/recovery/recovery.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/drill/recovery/recovery_failure.hpp"
#include "harness/drill/recovery/wal_supply.hpp"
#include "harness/postgres/session_settings.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto poll_interval = std::chrono::milliseconds(25);
// Several targets can be milliseconds of replay apart.
constexpr auto first_poll_interval = std::chrono::milliseconds(5);
constexpr auto first_polls = std::chrono::milliseconds(500);
constexpr std::string_view request_pause = "select pg_wal_replay_pause()";
// A server that waits for WAL acts on a pause, and asks for WAL after it, only when
// wal_retrieve_retry_interval is over; a reload wakes it (StartupProcSigHupHandler in startup.c).
constexpr std::string_view pause_replay = "select pg_wal_replay_pause(), pg_reload_conf()";
constexpr std::string_view resume_replay = "select pg_wal_replay_resume(), pg_reload_conf()";
constexpr int most_starts = 6;
constexpr std::string_view stop_message = "recovery stopping ";
constexpr std::string_view no_snapshot =
    "a transaction with more than 64 subtransactions is running here, so a hot standby accepts no "
    "connections";

std::map<std::string, std::string> recovery_settings(const RecoveryTarget& target) {
  std::map<std::string, std::string> settings{{"recovery_target_timeline", target.timeline}};
  switch (target.type) {
    case TargetType::latest:
      return settings;
    case TargetType::immediate:
      return {{"recovery_target", "immediate"}, {"recovery_target_timeline", "current"}};
    case TargetType::time:
      settings["recovery_target_time"] = to_postgres_timestamp(target.time.value());
      break;
    case TargetType::lsn:
      settings["recovery_target_lsn"] = to_text(target.lsn.value());
      break;
    case TargetType::xid:
      settings["recovery_target_xid"] = std::to_string(target.xid.value());
      break;
    case TargetType::name:
      settings["recovery_target_name"] = target.name;
      return settings;
  }
  settings["recovery_target_inclusive"] = target.exclusive ? "off" : "on";
  return settings;
}

// One recovery, from configuration to landing.
class Recovery {
 public:
  Recovery(const RecoveryInput& input, std::stop_token stop)
      : input_(input),
        stop_(std::move(stop)),
        files_(wal_supply_files(input.sandbox.paths())),
        deadline_(Clock::now() + input.deadline),
        control_(input.control) {}

  RecoveryOutcome run() {
    input_.sandbox.write_file(
        files_.limit,
        input_.until ? wal_limit(*input_.until, control_.wal_segment_size) : std::string());
    bool running = false;
    if (input_.resume_from) {
      requests_read_ = input_.sandbox.read_file(files_.requests).size();
      running = resume();
    } else {
      set_restored_settings_aside();
      supply_fetched_wal();
    }
    if (!running) write_archive_get();
    if (running || !input_.resume_from) began_ = Clock::now();
    for (int start = 1;; ++start) {
      if (!running) input_.instance.start(quarantine());
      running = false;
      if (wait_for_landing()) break;
      // A setting was raised on the primary after the backup: pg_control now has the higher value.
      if (start == most_starts || !settings_grew()) throw failure();
    }
    return outcome();
  }

 private:
  // True: the server replays on from where it was paused. False: it has been stopped.
  bool resume() {
    if (!input_.instance.running()) return false;
    if (!input_.standby) {
      input_.instance.stop(stop_);
    } else if (input_.instance.wait_until_accepting(std::chrono::milliseconds(0), stop_)) {
      try {
        session().query(std::string(resume_replay));
      } catch (const SqlError&) {
        // It may have been ended since the pause.
        input_.instance.end_session();
        session().query(std::string(resume_replay));
      }
    }
    return input_.standby;
  }

  Connection& session() { return input_.instance.session(ErrorKind::recovery, stop_); }

  void set_restored_settings_aside() {
    auto& sandbox = input_.sandbox;
    const auto& paths = sandbox.paths();
    sandbox.write_file(paths.configuration / "restored.auto.conf",
                       sandbox.read_file(paths.data / "postgresql.auto.conf"));
    sandbox.write_file(paths.data / "postgresql.auto.conf",
                       "# moved to restored.auto.conf for the drill\n");
  }

  void supply_fetched_wal() {
    if (input_.fetched == nullptr || !input_.fetched->sandbox) return;
    const auto& from = *input_.fetched->sandbox;
    for (const auto& segment : input_.fetched->segments) {
      input_.sandbox.take_file(from, from.paths().wal / segment,
                               files_.whole.native() + "." + segment);
    }
  }

  // Also for a copy that an earlier process kept: its commands may have been that process's.
  void write_archive_get() {
    const auto ahead = archive_get(WalFetch::ahead);
    const auto single = archive_get(WalFetch::single);
    input_.sandbox.write_file(input_.sandbox.paths().configuration / "archive-get",
                              archive_get_wrapper({.ahead = ahead, .single = single}, files_));
  }

  std::vector<std::string> archive_get(WalFetch fetch) {
    return input_.sandbox.fetch_command(
        input_.repository.archive_get(input_.backup, input_.sandbox, fetch),
        input_.sandbox.paths().data);
  }

  Quarantine quarantine() const {
    return recovery_quarantine(input_.sandbox, input_.target, control_);
  }

  // The wrapper only appends: each call reads the new lines.
  const std::vector<WalRequest>& requests() {
    const auto text = input_.sandbox.read_file(files_.requests, requests_read_);
    const auto complete = text.rfind('\n') + 1;  // npos + 1 is 0
    requests_read_ += complete;
    for (auto& request : parse_wal_requests(std::string_view(text).substr(0, complete))) {
      requests_.push_back(std::move(request));
    }
    return requests_;
  }

  // True at the landing; false when the server ended or paused for its settings.
  bool wait_for_landing() {
    bool pausing = false;
    std::optional<bool> landed;
    const auto decided = [&] {
      landed = has_landed(pausing);
      return landed.has_value();
    };
    const auto soon = std::min(deadline_, Clock::now() + first_polls);
    if (poll_until(soon, first_poll_interval, stop_, decided) ||
        poll_until(deadline_, poll_interval, stop_, decided)) {
      return *landed;
    }
    throw too_slow("replay did not reach the recovery target", input_.deadline);
  }

  Error too_slow(std::string_view what, std::chrono::milliseconds limit) {
    const auto& all = requests();
    return {ErrorKind::recovery,
            fmt::format("{} within {}: it replayed to {}; the last file that it requested is {}",
                        what, to_text(Seconds(limit)),
                        replayed_.value == 0 ? "an unknown position" : to_text(replayed_),
                        all.empty() ? "none" : all.back().file),
            "see logs/postgresql.log in the run directory", FindingCode::replay_slow};
  }

  // Empty while replay continues.
  std::optional<bool> has_landed(bool& pausing) {
    if (!input_.instance.running()) return false;
    require_progress();
    if (!input_.instance.wait_until_accepting(poll_interval, stop_)) {
      refuse_to_wait_for_missing_wal();
      if (has_no_snapshot()) return true;
      return rejects_connections() ? std::optional(true) : std::nullopt;
    }
    try {
      if (poll(pausing)) return true;
    } catch (const SqlError& error) {
      // Replay of DROP DATABASE ends the sessions in it: continue in another database.
      if (std::string_view(error.what()).find("conflict with recovery") != std::string_view::npos) {
        input_.instance.end_session();
        return {};
      }
      // If the server ended during the statement, its log has the reason.
      if (!ends_soon()) throw;
      return false;
    }
    return paused_for_settings() ? std::optional(false) : std::nullopt;
  }

  // The connection is lost before the last server process has exited.
  bool ends_soon() {
    return poll_until(Clock::now() + input_.timeouts.server_end, poll_interval, stop_,
                      [&] { return !input_.instance.running(); });
  }

  // Polls a read-only server once. `pausing`: the end was reached and the pause requested.
  bool poll(bool& pausing) {
    auto& connection = session();
    const bool has_state = connection.server_version() >= 140000;
    const auto rows = connection.query(fmt::format(
        "select pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp(), "
        "case when not pg_is_in_recovery() then 'promoted' when {} then 't' else 'f' end",
        has_state ? "pg_get_wal_replay_pause_state() = 'paused'" : "pg_is_wal_replay_paused()"));
    replayed_ = parse_lsn(rows.text(0, 0)).value_or(Lsn{});
    last_transaction_ = parse_instant(rows.text(0, 1));
    report_progress();
    if (!began_ && replayed_ > *input_.resume_from) began_ = Clock::now();
    // Where it accepts no connections, PostgreSQL does not pause at its target.
    if (rows.text(0, 2) == "promoted") {
      promoted_because_ = no_snapshot;
      return true;
    }
    const bool paused = rows.text(0, 2) == "t";
    if (input_.target.type != TargetType::latest) return paused && !paused_for_settings();
    if (pausing) return paused;
    if (input_.until && is_at(replayed_, *input_.until) && has_all_wal()) {
      // Nothing is replayed or restored before the pause takes effect.
      connection.query(std::string(request_pause));
      return true;
    }
    const bool there =
        input_.until ? is_at(replayed_, *input_.until) || replayed_ > *input_.until : find_end();
    if (there) {
      connection.query(std::string(pause_replay));
      pausing = true;
    }
    return !there && input_.until && wal_timed_out();
  }

  // The server has received the segment of `until`, the last one that it gets.
  bool has_all_wal() {
    const auto given = input_.sandbox.read_file(files_.given);
    return !given.empty() && wal_limit(*input_.until, control_.wal_segment_size)
                                 .starts_with(std::string(trim(given)) + " ");
  }

  bool find_end() {
    end_ = replay_end(requests());
    return end_.has_value();
  }

  // A server that hangs is not waited for until the drill's own deadline.
  void require_progress() {
    const auto now = Clock::now();
    if (progress_asked_ && now - *progress_asked_ < std::chrono::seconds(1)) return;
    progress_asked_ = now;
    const auto state = std::pair(replayed_, requests().size());
    if (!progress_since_ || state != progress_) {
      progress_ = state;
      progress_since_ = now;
    }
    if (now - *progress_since_ > input_.timeouts.progress) {
      throw too_slow("replay made no progress", input_.timeouts.progress);
    }
  }

  // The WAL before a position may still be on its way to the archive.
  bool wal_timed_out() {
    const auto now = Clock::now();
    const auto missing = replay_end(requests());
    if (!missing) {
      if (waiting_since_) waited_ += now - *waiting_since_;
      waiting_since_.reset();
      return false;
    }
    if (!waiting_since_) waiting_since_ = now;
    if (now - *waiting_since_ < input_.wal_timeout) return false;
    waited_ += now - *waiting_since_;
    gave_up_ = fmt::format("WAL segment {} {} within {}", missing->segment,
                           missing->unreadable ? "could not be replayed" : "was not archived",
                           to_text(Seconds(input_.wal_timeout)));
    return true;
  }

  // All WAL before the position is replayed and connections are still rejected: the record of the
  // running transactions, which hot standby needs, comes after the position.
  bool rejects_connections() {
    if (!input_.until || input_.sandbox.read_file(files_.given).empty()) return false;
    const auto now = Clock::now();
    if (!given_since_) given_since_ = now;
    if (now - *given_since_ < input_.wal_timeout) return false;
    gave_up_ = "the restored cluster does not accept connections at this position";
    return true;
  }

  // Without enough WAL to become consistent, a standby would wait forever.
  void refuse_to_wait_for_missing_wal() {
    if (!input_.standby || !input_.instance.running()) return;
    const auto end = replay_end(requests());
    if (!end) {
      missing_since_.reset();
      return;
    }
    // On a busy host the log line about consistency arrives after the request for the next segment.
    if (!missing_since_) missing_since_ = Clock::now();
    if (is_consistent() || Clock::now() - *missing_since_ < input_.timeouts.consistency_line) {
      return;
    }
    throw Error(
        ErrorKind::recovery,
        fmt::format("WAL segment {} {}; backup {} cannot become consistent without it",
                    end->segment, end->unreadable ? "cannot be replayed" : "is not in the archive",
                    input_.backup.label),
        "this backup cannot be recovered: use another one",
        end->unreadable ? FindingCode::wal_damaged : FindingCode::wal_missing, end->segment);
  }

  bool is_consistent() const {
    const auto lines = input_.instance.log_lines();
    return std::any_of(lines.begin(), lines.end(), [](const auto& line) {
      return line.find("consistent recovery state reached") != std::string::npos;
    });
  }

  // At the end of the archive, nothing will complete the snapshot: end the recovery there.
  bool has_no_snapshot() {
    const bool at_end = input_.standby && !input_.until && missing_since_ && find_end();
    if (!at_end || Clock::now() - *missing_since_ < input_.timeouts.snapshot || !is_consistent()) {
      return false;
    }
    if (input_.instance.wait_until_accepting(poll_interval, stop_)) return false;
    input_.instance.promote(stop_);
    bool pausing = false;
    poll(pausing);
    return true;
  }

  [[nodiscard]] std::string replay_rate(std::uint64_t begin) const {
    const auto from = std::max(begin, input_.resume_from.value_or(Lsn{}).value);
    return rate_in_words(Bytes{replayed_.value > from ? replayed_.value - from : 0},
                         Clock::now() - began_.value_or(Clock::now()));
  }

  void report_progress() const {
    if (!input_.on_progress || replayed_.value == 0) return;
    const auto begin = input_.control.checkpoint_lsn.value;
    std::optional<double> fraction;
    if (input_.expected_end && input_.expected_end->value > begin && replayed_.value >= begin) {
      fraction = std::min(1.0, static_cast<double>(replayed_.value - begin) /
                                   static_cast<double>(input_.expected_end->value - begin));
    }
    input_.on_progress(fraction,
                       fmt::format("replayed to {}{}", to_text(replayed_), replay_rate(begin)));
  }

  bool paused_for_settings() const {
    return input_.instance.just_logged("insufficient parameter settings");
  }

  bool settings_grew() {
    if (!paused_for_settings() &&
        !input_.instance.just_logged("is a lower setting than on the primary")) {
      return false;
    }
    input_.instance.kill();
    const auto now = read_control_data(input_.sandbox, input_.sandbox.paths().data, stop_);
    const auto minima = [](const ControlData& c) {
      return std::array{c.max_connections, c.max_worker_processes, c.max_wal_senders,
                        c.max_prepared_transactions, c.max_locks_per_transaction};
    };
    const bool grew = minima(now) != minima(control_);
    control_ = now;
    return grew;
  }

  Error failure() {
    const auto ended = input_.instance.ended();
    // Messages of other processes about the exit of the postmaster are not the cause.
    const bool ended_by_itself = input_.instance.just_logged("FATAL:  ") &&
                                 !input_.instance.just_logged("due to unexpected postmaster exit");
    if (ended && ended->signal == SIGKILL && !ended_by_itself) {
      return {ErrorKind::environment, "PostgreSQL was killed by signal 9 while it replayed WAL",
              "often the OOM killer: see the kernel log; lower sandbox.memory",
              FindingCode::env_killed, "postgres"};
    }
    return explain_recovery_failure(input_.instance.log_lines(), requests(),
                                    to_text(input_.target));
  }

  // The server can report the pause before its log line about it has been read.
  void wait_for_log_line() const {
    if (input_.target.type == TargetType::latest) return;
    poll_until(Clock::now() + input_.timeouts.stop_line, poll_interval, stop_,
               [&] { return input_.instance.just_logged(stop_message); });
  }

  RecoveryOutcome outcome() {
    wait_for_log_line();
    RecoveryOutcome outcome{
        .control = control_,
        .replayed = replayed_,
        .last_transaction = last_transaction_,
        .requests = parse_wal_requests(input_.sandbox.read_file(files_.requests)),
        .end = end_,
        .gave_up = gave_up_,
        .promoted_because = promoted_because_};
    if (waiting_since_ && !gave_up_) waited_ += Clock::now() - *waiting_since_;
    if (began_) outcome.took = Clock::now() - *began_ - waited_;
    for (const auto& line : input_.instance.log_lines()) {
      const auto found = line.find(stop_message);
      if (found != std::string::npos) outcome.stopped_at = line.substr(found);
    }
    return outcome;
  }

  const RecoveryInput& input_;
  std::stop_token stop_;
  WalSupplyFiles files_;
  Clock::time_point deadline_;
  ControlData control_;
  std::uint64_t requests_read_ = 0;  // bytes of the wrapper's request log
  std::vector<WalRequest> requests_;
  std::optional<Clock::time_point> missing_since_;
  std::optional<ReplayEnd> end_;
  std::pair<Lsn, std::size_t> progress_;
  std::optional<Clock::time_point> progress_since_;
  std::optional<Clock::time_point> progress_asked_;
  std::string promoted_because_;
  Lsn replayed_;
  std::optional<Instant> last_transaction_;
  std::optional<Clock::time_point> began_;  // first replay after `resume_from`
  std::optional<Clock::time_point> waiting_since_;
  std::optional<Clock::time_point> given_since_;
  Clock::duration waited_{0};
  std::optional<std::string> gave_up_;
};

}  // namespace

Quarantine recovery_quarantine(const Sandbox& sandbox, const RecoveryTarget& target,
                               const ControlData& control) {
  const auto& paths = sandbox.paths();
  return make_quarantine(
      {.major = sandbox.spec().postgres_major,
       .data = paths.data,
       .configuration = paths.configuration,
       .sockets = paths.sockets,
       .temporary = paths.temporary,
       .superuser = sandbox.spec().superuser,
       .accounts = {sandbox.spec().account, current_account().name},
       .logins = {reading_login(sandbox.spec().run_id), role_login(sandbox.spec().run_id)},
       .control = control,
       .memory = sandbox.memory(),
       .cpus = sandbox.cpus(),
       // In the shell that PostgreSQL starts anyway: a second one for each request takes
       // milliseconds.
       .restore_command =
           fmt::format("set -- %f \"%p\"; . {}", shell_quoted(paths.configuration / "archive-get")),
       .recovery = recovery_settings(target)});
}

RecoveryOutcome recover(const RecoveryInput& input, std::stop_token stop) {
  return Recovery(input, std::move(stop)).run();
}

}  // namespace pgrehearse
