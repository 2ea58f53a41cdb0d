#include "harness/sandbox/container_command_runner.hpp"

#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <thread>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/process/stream_text.hpp"
#include "harness/sandbox/stream_frames.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

// The API cannot signal what exec runs: so the first line of output is the process's number, which
// is also its group's.
constexpr const char* introduction =
    "command -v \"$1\" >/dev/null || { echo none; exit 127; }; echo \"$$\"; umask 077; exec \"$@\"";
constexpr const char* send_signal = "kill \"-$1\" \"-$2\"";
constexpr std::string_view no_program = "none";

// A descendant may hold the streams open after the command's own end.
constexpr auto quiet_before_a_look = std::chrono::seconds(1);
constexpr auto time_to_drain = std::chrono::milliseconds(500);
constexpr auto time_to_die = std::chrono::seconds(5);
constexpr int signal_base = 128;

// One run of one command.
class Run {
 public:
  Run(const ContainerEngine& engine, std::string container, const Command& command,
      const std::stop_token& stop)
      : engine_(engine), container_(std::move(container)), command_(command), stop_(stop) {}

  CommandResult go() {
    ExecRequest request{.words = {"/bin/sh", "-c", introduction, "sh", command_.program},
                        .environment = command_.environment,
                        .working_directory = command_.working_directory.string()};
    request.words.insert(request.words.end(), command_.arguments.begin(), command_.arguments.end());
    // A stop request ends what runs, not the questions about it.
    exec_ = engine_.prepare_exec(container_, request, {});
    engine_.follow_exec(exec_,
                        {.on_data =
                             [this](std::string_view piece) {
                               heard_ = Clock::now();
                               frames_.take(piece);
                             },
                         .is_over = [this] { return is_over(); }},
                        stop_);
    out_.end();
    error_.end();
    note_end();
    result_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_);
    result_.output = out_.release();
    result_.error_output = error_.release();
    result_.truncated = out_.truncated() || error_.truncated();
    return std::move(result_);
  }

  [[nodiscard]] bool found_program() const { return introduced_ != no_program; }

 private:
  void receive(StreamFrames::Stream stream, std::string_view payload) {
    if (stream == StreamFrames::Stream::error) {
      error_.take(payload);
      return;
    }
    if (!complete_introduction_) {
      const auto end = payload.find('\n');
      introduced_ += payload.substr(0, end);
      if (end == std::string_view::npos) return;
      complete_introduction_ = true;
      std::from_chars(introduced_.data(), introduced_.data() + introduced_.size(), process_);
      payload.remove_prefix(end + 1);
    }
    if (!payload.empty()) out_.take(payload);
  }

  // Not from within the transfer: asking may throw.
  void send_wanted_signal() {
    if (wanted_signal_ == 0 || process_ <= 0) return;
    const int signal = std::exchange(wanted_signal_, 0);
    engine_.run_detached(container_, {"/bin/sh", "-c", send_signal, "sh", std::to_string(signal),
                                      std::to_string(process_)});
  }

  bool is_over() {
    const auto now = Clock::now();
    if (!ending_since_ && (stop_.stop_requested() || now - began_ > command_.timeout)) {
      (stop_.stop_requested() ? result_.cancelled : result_.timed_out) = true;
      ending_since_ = now;
      wanted_signal_ = command_.stop_signal;
    }
    if (ending_since_ && !killed_ && now - *ending_since_ > command_.grace) {
      killed_ = true;
      wanted_signal_ = SIGKILL;
    }
    send_wanted_signal();
    if (killed_ && now - *ending_since_ > command_.grace + time_to_die) return true;
    if (ended_since_) return now - *ended_since_ > time_to_drain;
    if (now - heard_ > quiet_before_a_look) {
      heard_ = now;
      if (!engine_.inspect_exec(exec_).running) ended_since_ = now;
    }
    return false;
  }

  // The streams end a little before the engine notes the exit code.
  void note_end() {
    const auto patience = Clock::now() + std::chrono::seconds(10);
    auto state = engine_.inspect_exec(exec_);
    while (state.running && !killed_ && Clock::now() < patience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      state = engine_.inspect_exec(exec_);
    }
    if (state.running) {
      result_.signal = SIGKILL;
    } else if (state.exit_code > signal_base) {
      result_.signal = state.exit_code - signal_base;
    } else {
      result_.exit_code = state.exit_code;
    }
  }

  const ContainerEngine& engine_;
  std::string container_;
  const Command& command_;
  const std::stop_token& stop_;
  std::string exec_;
  StreamText out_{command_};
  StreamText error_{command_};
  StreamFrames frames_{[this](auto stream, auto payload) { receive(stream, payload); }};
  std::string introduced_;
  bool complete_introduction_ = false;
  int process_ = 0;
  int wanted_signal_ = 0;
  Clock::time_point began_ = Clock::now();
  Clock::time_point heard_ = began_;
  std::optional<Clock::time_point> ending_since_;
  std::optional<Clock::time_point> ended_since_;
  bool killed_ = false;
  CommandResult result_;
};

}  // namespace

CommandResult ContainerCommandRunner::run(const Command& command, std::stop_token stop) {
  if (stop.stop_requested()) return {.cancelled = true};
  Run run(engine_, container_, command, stop);
  auto result = run.go();
  if (run.found_program()) return result;
  throw Error(ErrorKind::environment,
              fmt::format("program '{}' is not in the image {}", command.program, image_),
              "name an image that has it with sandbox.image; docker/README.md makes one",
              "PGR-ENV-BINARY", command.program);
}

}  // namespace pgrehearse
