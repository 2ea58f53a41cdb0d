#include "harness/drill/objectives/data_loss.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgrehearse {

namespace {

Seconds between(Instant earlier, Instant later) {
  return std::max(Seconds(0), Seconds(later - earlier));
}

DataLoss exactly(Seconds loss, std::string explanation) {
  return {.at_least = loss, .at_most = loss, .explanation = std::move(explanation)};
}

DataLoss unknown(std::string why) { return {.explanation = std::move(why)}; }

DataLoss wrong_clock(std::string clock) {
  auto why = "commit times cannot be compared: " + clock;
  return {.explanation = std::move(why), .clock = std::move(clock)};
}

class Measurement {
 public:
  Measurement(const DataLossInput& input, std::stop_token stop)
      : input_(input), stop_(std::move(stop)) {}

  DataLoss measure() {
    if (!is_time_target(input_.target)) {
      return {.applicable = false,
              .explanation = "not applicable: the recovery target is not a time"};
    }
    return input_.target.type == TargetType::time ? before_target() : before_the_drill();
  }

 private:
  [[nodiscard]] DataLoss before_target() const {
    const auto& landing = input_.landing;
    if (!input_.target.time) return unknown("the recovery target has no time");
    if (!landing.time) return no_commit_time();
    const auto explanation = fmt::format("target {}, newest recovered commit {}",
                                         to_text(*input_.target.time), to_text(*landing.time));
    const auto& next = landing.first_withheld;
    if (next && next->time && *next->time >= *input_.target.time) {
      return exactly(Seconds(0), explanation + fmt::format(", the next one {} is after the target",
                                                           to_text(*next->time)));
    }
    return exactly(between(*landing.time, *input_.target.time), explanation);
  }

  DataLoss before_the_drill() {
    const auto& newest = input_.landing.time;
    if (newest && *newest > input_.landed_at + clock_tolerance) return wrong_clock(future(*newest));
    if (server() == nullptr) return against_start("");
    const auto& state = *input_.state;
    if (state.newest_commit && *state.newest_commit > state.read_at + clock_tolerance) {
      return wrong_clock(future(*state.newest_commit));
    }
    const auto complete = state.in_recovery && !state.caught_up ? std::nullopt : is_complete();
    if (complete.value_or(false)) {
      return exactly(Seconds(0), "the primary had committed nothing that did not come back");
    }
    if (!newest) return no_commit_time();
    if (!state.newest_commit) return against_start(complete ? ", the primary has newer ones" : "");
    const auto lost = Seconds(*state.newest_commit - *newest);
    if (complete && lost < -clock_tolerance) return wrong_clock(set_back(*newest));
    if (state.in_recovery && !state.caught_up) return bounded_by_standby(lost);
    return exactly(std::max(Seconds(0), lost),
                   fmt::format("newest commit on the primary {}, newest recovered commit {}",
                               to_text(*state.newest_commit), to_text(*newest)));
  }

  // Without times of commits on the primary: the loss is at most the age of the newest commit.
  [[nodiscard]] DataLoss against_start(std::string_view and_also) const {
    const auto& newest = input_.landing.time;
    if (!newest) return no_commit_time();
    const auto age = between(*newest, input_.drill_started);
    auto loss =
        exactly(age, fmt::format("drill started {}, newest recovered commit {}{}",
                                 to_text(input_.drill_started), to_text(*newest), and_also));
    if (input_.primary != nullptr && !input_.state) {
      loss.explanation += "; the primary could not be queried";
    }
    if (!input_.state) return loss;
    if (input_.state->in_recovery && !input_.state->caught_up)
      return bounded_by_standby(Seconds(0));
    const auto ahead = input_.state->clock_ahead;
    if (abs(ahead) <= clock_tolerance) return loss;
    loss.at_least = std::max(Seconds(0), age - abs(ahead));
    loss.at_most = age + abs(ahead);
    loss.clock = difference();
    loss.explanation += "; " + loss.clock;
    return loss;
  }

  // What the primary committed and the standby has not replayed is not known.
  [[nodiscard]] DataLoss bounded_by_standby(Seconds lost) const {
    const auto age = between(*input_.landing.time, input_.drill_started);
    const auto least = std::clamp(lost, Seconds(0), age);
    return {.at_least = least,
            .at_most = age,
            .explanation =
                fmt::format("between {} and {}: {} is a standby and may lag behind the primary",
                            to_text(least), to_text(age), name())};
  }

  [[nodiscard]] DataLoss no_commit_time() const {
    return unknown("no commit time was found before the position where recovery stopped");
  }

  // nullptr: the primary's state cannot be compared with this copy.
  [[nodiscard]] const PrimaryState* server() const {
    const auto& identity = input_.identity;
    if (!input_.state || !identity) return nullptr;
    if (identity->system_identifier != input_.backup.system_identifier) return nullptr;
    const auto& timeline = input_.landing.timeline;
    return timeline && *timeline == identity->timeline ? &*input_.state : nullptr;
  }

  std::optional<bool> is_complete() try {
    if (!input_.connect_copy || input_.primary == nullptr) return {};
    auto copy = input_.connect_copy();
    auto primary = input_.primary->connect({}, stop_);
    return has_all_commits(copy, primary, *input_.state);
  } catch (const SqlError&) {
    return {};
  }

  [[nodiscard]] std::string name() const {
    return input_.identity && !input_.identity->member.empty() ? input_.identity->member
                                                               : "the server";
  }

  [[nodiscard]] std::string difference() const {
    const auto ahead = input_.state->clock_ahead;
    return fmt::format("the clock of the primary ({}) is {} {} compared with this host's", name(),
                       to_text(Seconds(abs(ahead))), ahead > Seconds(0) ? "fast" : "slow");
  }

  [[nodiscard]] std::string future(Instant commit) const {
    if (input_.state && abs(input_.state->clock_ahead) > clock_tolerance) {
      return fmt::format("commit of {}: {}", to_text(commit), difference());
    }
    return fmt::format("commit of {} is {} in the future: the clock of the primary was ahead{}",
                       to_text(commit), to_text(between(input_.landed_at, commit)),
                       input_.state ? " and has been set back" : "; or this host's clock is slow");
  }

  [[nodiscard]] std::string set_back(Instant newest) const {
    return fmt::format(
        "the primary's newest commit {} is earlier than the recovered commit {}: its clock was set "
        "back",
        to_text(*input_.state->newest_commit), to_text(newest));
  }

  const DataLossInput& input_;
  std::stop_token stop_;
};

}  // namespace

Verdict DataLoss::verdict(Seconds limit) const {
  if (!applicable) return Verdict::skipped;
  if (at_most && *at_most <= limit) return Verdict::pass;
  if (at_least && *at_least > limit) return Verdict::fail;
  return Verdict::unknown;
}

std::optional<Seconds> DataLoss::measured(std::optional<Seconds> limit) const {
  if (!applicable || !at_most || !at_least) return {};
  if (*at_most == *at_least) return at_most;
  if (!limit) return {};
  const auto decided = verdict(*limit);
  if (decided == Verdict::unknown) return {};
  return decided == Verdict::pass ? at_most : at_least;
}

DataLoss measure_data_loss(const DataLossInput& input, std::stop_token stop) {
  return Measurement(input, std::move(stop)).measure();
}

}  // namespace pgrehearse
