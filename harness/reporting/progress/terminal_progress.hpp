// Progress on a terminal: one line per finished phase, and below them a live line for the running
// one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include "harness/drill/progress.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/progress/live_line.hpp"

namespace pgrehearse {

class TerminalProgress : public ProgressListener {
 public:
  struct Options {
    bool color = false;
    std::function<int()> width = [] {
      return 100;
    };                                        // called before each line: windows are resized
    std::chrono::milliseconds interval{100};  // between updates of the live line
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  };

  // Draws from its own thread, so that the elapsed time advances while nothing is reported.
  TerminalProgress(std::ostream& out, Options options);
  // Clears the live line.
  ~TerminalProgress() override;
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void drill_started(const Report& report) override;
  void phase_started(std::string_view name, const PhaseExpectation& expected) override;
  void phase_progress(std::optional<double> fraction, std::string_view detail) override;
  void phase_finished(const PhaseRecord& phase) override;
  void check_finished(const CheckRecord& check) override;
  void drill_finished(const Report& report) override;

  // Redraws the live line if it changed.
  void redraw();

 private:
  void redraw_locked();
  void print(const std::string& line);
  void clear_live_line();

  std::ostream& out_;
  Options options_;
  Palette paint_;
  std::mutex mutex_;
  std::optional<LivePhase> phase_;
  std::chrono::steady_clock::time_point phase_started_;
  std::string drawn_;
  std::condition_variable_any tick_;
  std::jthread ticker_;
};

}  // namespace pgrehearse
