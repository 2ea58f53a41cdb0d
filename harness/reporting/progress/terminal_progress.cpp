#include "harness/reporting/progress/terminal_progress.hpp"

#include <algorithm>
#include <utility>

#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

TerminalProgress::TerminalProgress(std::ostream& out, Options options)
    : out_(out), options_(std::move(options)), paint_(options_.color) {
  ticker_ = std::jthread([this](const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      tick_.wait_for(lock, stop, options_.interval, [] { return false; });
      if (!stop.stop_requested()) redraw_locked();
    }
  });
}

TerminalProgress::~TerminalProgress() {
  ticker_.request_stop();
  ticker_.join();
  clear_live_line();
  out_.flush();
}

void TerminalProgress::drill_started(const Report& report) {
  const std::lock_guard lock(mutex_);
  print(paint_.bold(printable(report.scenario.name)) + "  " + paint_.dim(printable(report.id)));
}

// Drawn by the next tick, so that a short phase does not flicker.
void TerminalProgress::phase_started(std::string_view name, const PhaseExpectation& expected) {
  const std::lock_guard lock(mutex_);
  phase_ = LivePhase{
      .name = std::string(name), .expected = expected.phase, .later_phases = expected.later_phases};
  phase_started_ = options_.now();
}

void TerminalProgress::phase_progress(std::optional<double> fraction, std::string_view detail) {
  const std::lock_guard lock(mutex_);
  if (!phase_) return;
  phase_->fraction = fraction;
  phase_->detail = detail;
}

void TerminalProgress::phase_finished(const PhaseRecord& phase) {
  const std::lock_guard lock(mutex_);
  phase_.reset();
  const auto name = pad_right(cut_to(printable(phase.name), 24), 16);
  const auto time = pad_left(phase.completed ? duration_in_words(phase.seconds) : "not done", 9);
  const auto volume = volume_in_words(phase);
  print("  " + name + "  " + (phase.completed ? time : paint_.yellow(time)) +
        (volume.empty() ? "" : "  " + paint_.dim(volume)));
}

void TerminalProgress::check_finished(const CheckRecord& check) {
  const std::lock_guard lock(mutex_);
  const auto word = shown_name_of(check.verdict);
  const auto name = cut_to(printable(check.name), 24);
  const auto room = static_cast<std::size_t>(std::max(options_.width(), 60)) - 45;
  const auto summary = cut_to(printable(check.summary), room);
  print("    " + paint_.of(check.verdict, word) + std::string(9 - word.size(), ' ') +
        (summary.empty() ? name : pad_right(name, 26) + paint_.dim(summary)));
}

void TerminalProgress::drill_finished(const Report& /*report*/) {
  const std::lock_guard lock(mutex_);
  phase_.reset();
  clear_live_line();
  out_.flush();
}

void TerminalProgress::redraw() {
  const std::lock_guard lock(mutex_);
  redraw_locked();
}

void TerminalProgress::redraw_locked() {
  if (!phase_) return;
  phase_->elapsed = options_.now() - phase_started_;
  auto line = live_line(*phase_, options_.width(), options_.color);
  if (line == drawn_) return;
  // One write per update, so that no partial line is visible.
  const auto drawing = "\r\x1b[K" + line;
  out_.write(drawing.data(), static_cast<std::streamsize>(drawing.size()));
  out_.flush();
  drawn_ = std::move(line);
}

void TerminalProgress::print(const std::string& line) {
  const auto drawing = (drawn_.empty() ? "" : "\r\x1b[K") + line + "\n";
  drawn_.clear();
  out_.write(drawing.data(), static_cast<std::streamsize>(drawing.size()));
  out_.flush();
}

void TerminalProgress::clear_live_line() {
  if (drawn_.empty()) return;
  out_ << "\r\x1b[K";
  drawn_.clear();
}

}  // namespace pgrehearse
