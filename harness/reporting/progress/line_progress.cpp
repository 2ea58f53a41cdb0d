#include "harness/reporting/progress/line_progress.hpp"

#include <fmt/format.h>

#include "harness/report/headline.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

std::string prefixed(std::string_view separator, const std::string& text) {
  return text.empty() ? text : std::string(separator) + text;
}

}  // namespace

void LineProgress::drill_started(const Report& report) {
  {
    const std::lock_guard lock(mutex_);
    scenario_ = report.scenario.name;
  }
  print(fmt::format("drill {} started", report.id));
}

void LineProgress::phase_started(std::string_view /*name*/, const PhaseExpectation& /*expected*/) {}

void LineProgress::phase_progress(std::optional<double> /*fraction*/, std::string_view /*detail*/) {
}

void LineProgress::phase_finished(const PhaseRecord& phase) {
  print(fmt::format("{}: {}{}", phase.name,
                    phase.completed ? duration_in_words(phase.seconds) : "not done",
                    prefixed(", ", volume_in_words(phase))));
}

void LineProgress::check_finished(const CheckRecord& check) {
  print(fmt::format(
      "check {}: {}{}{}", check.name, shown_name_of(check.verdict),
      check.verdict == Verdict::skipped ? "" : " in " + duration_in_words(check.seconds),
      prefixed(": ", check.summary)));
}

void LineProgress::drill_finished(const Report& report) {
  print(fmt::format("{}{}", shown_name_of(settled_verdict(report)),
                    prefixed(": ", headline(report))));
}

void LineProgress::print(const std::string& text) {
  const std::lock_guard lock(mutex_);
  const auto line = printable(scenario_.empty() ? text : scenario_ + ": " + text) + "\n";
  out_.write(line.data(), static_cast<std::streamsize>(line.size()));
  out_.flush();
}

}  // namespace pgrehearse
