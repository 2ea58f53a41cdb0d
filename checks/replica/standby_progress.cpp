#include "checks/replica/standby_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/parsers/standby_log.hpp"
#include "checks/shared/missing_resources.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/units.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto poll_interval = std::chrono::milliseconds(250);
constexpr std::string_view log_hint = "see logs/postgresql-replica.log in the run directory";

class Watch {
 public:
  Watch(const StandbyView& view, Lsn target) : view_(view), target_(target) {}

  // Whether the result is known.
  bool decide() {
    const auto log = parse_standby_log(view_.log_lines());
    if (view_.ended()) {
      progress_.failure = excuse_missing_resources(
          {.code = FindingCode::replica_start,
           .object = "standby",
           .message = fmt::format("the standby ended: {}", log.fatal_errors.empty()
                                                               ? "its log gives no reason"
                                                               : log.fatal_errors.back()),
           .hint = std::string(log_hint)},
          log.fatal_errors);
      return true;
    }
    if (const auto state = view_.state()) {
      if (state->replayed) progress_.replayed = *state->replayed;
      if (state->streaming && !streamed_) {
        streamed_ = true;
        progress_.streaming = since_start();
      }
      if (state->streaming && progress_.replayed >= target_) return true;
    }
    return refused() || cannot_stream(log);
  }

  void time_out(std::chrono::milliseconds timeout) {
    const auto log = parse_standby_log(view_.log_lines());
    if (!streamed_ && !log.stream_errors.empty()) return stream_failure(log.stream_errors.back());
    progress_.failure = Finding{
        .code = FindingCode::replica_behind,
        .object = to_text(target_),
        .message =
            fmt::format("{} within {}: it replayed to {}, the primary was at {} when the "
                        "check began",
                        streamed_ ? "the standby did not catch up" : "the standby did not stream",
                        to_text(Seconds(timeout)), to_text(progress_.replayed), to_text(target_)),
        .hint = "set `timeout` of this check to a longer time, or " + std::string(log_hint)};
  }

  StandbyProgress finish() && {
    progress_.caught_up = since_start();
    return std::move(progress_);
  }

 private:
  [[nodiscard]] std::chrono::milliseconds since_start() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_);
  }

  bool refused() {
    const auto refusal = view_.refusal();
    if (!refusal) refused_since_.reset();
    if (!refusal || streamed_) return false;
    if (!refused_since_) refused_since_ = Clock::now();
    if (Clock::now() - *refused_since_ < view_.longest_refusal) return false;
    progress_.failure = Finding{
        .code = FindingCode::replica_refused,
        .object = "primary",
        .message = fmt::format("the primary refuses the replication connection: {}", *refusal),
        .hint =
            "give the role of primary.dsn the attribute REPLICATION, and allow it to connect "
            "to the database `replication` in pg_hba.conf"};
    return true;
  }

  // The same error three times: WAL may still arrive in the archive.
  bool cannot_stream(const StandbyLog& log) {
    constexpr auto often = 3;
    const auto count = std::ranges::count_if(log.stream_errors, is_final);
    if (streamed_ || count < often) return false;
    stream_failure(*std::ranges::find_if(log.stream_errors, is_final));
    return true;
  }

  void stream_failure(const std::string& error) {
    progress_.failure = Finding{.code = FindingCode::replica_stream,
                                .object = "primary",
                                .message = "the standby cannot stream from the primary: " + error,
                                .hint = std::string(log_hint)};
  }

  const StandbyView& view_;
  Lsn target_;
  Clock::time_point began_ = Clock::now();
  bool streamed_ = false;
  std::optional<Clock::time_point> refused_since_;
  StandbyProgress progress_;
};

}  // namespace

StandbyProgress wait_for_standby(const StandbyView& view, Lsn target,
                                 std::chrono::milliseconds timeout, const std::stop_token& stop) {
  Watch watch(view, target);
  if (!poll_until(Clock::now() + timeout, poll_interval, stop, [&] { return watch.decide(); })) {
    watch.time_out(timeout);
  }
  return std::move(watch).finish();
}

}  // namespace pgrehearse
