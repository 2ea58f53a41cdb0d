#include "harness/reporting/progress/live_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t bar_width = 20;

// Whole seconds: tenths would change too fast to be read.
std::string clock_of(Seconds span) {
  return span.count() < 60 ? fmt::format("{:.0f}s", std::floor(span.count()))
                           : duration_in_words(span.count());
}

}  // namespace

std::optional<Seconds> remaining_time(const LivePhase& phase) {
  if (!phase.later_phases) return {};
  const double fraction = phase.fraction.value_or(0);
  if (fraction > 0.05 && fraction <= 1) {
    return phase.elapsed * ((1 - fraction) / fraction) + *phase.later_phases;
  }
  if (!phase.expected) return {};
  return std::max(*phase.expected - phase.elapsed, Seconds(0)) + *phase.later_phases;
}

std::string live_line(const LivePhase& phase, int width, bool color) {
  const Palette paint(color);
  const auto room = static_cast<std::size_t>(std::max(width, 20)) - 1;
  const bool narrow = room < 70;
  std::string plain = "  " + pad_right(cut_to(printable(phase.name), 24), narrow ? 1 : 16);
  std::string painted = "  " + paint.bold(plain.substr(2));
  const auto add = [&](const std::string& text, const std::string& shown) {
    if (columns_of(plain) + 1 + columns_of(text) > room) return;
    plain += " " + text;
    painted += " " + shown;
  };
  if (phase.fraction) {
    const double fraction = std::clamp(*phase.fraction, 0.0, 1.0);
    const auto filled = static_cast<std::size_t>(fraction * bar_width);
    const std::string done(filled, '=');
    const std::string rest(bar_width - filled, '-');
    if (!narrow) add("[" + done + rest + "]", paint.dim("[") + done + paint.dim(rest + "]"));
    const auto percent = fmt::format("{:3}%", static_cast<int>(fraction * 100));
    add(percent, percent);
  }
  auto time = clock_of(phase.elapsed);
  if (phase.expected) time += " of about " + clock_of(*phase.expected);
  add(time, time);
  if (const auto remaining = remaining_time(phase)) {
    const auto left = fmt::format(" {} left", clock_of(*remaining));
    add(left, paint.bold(left));
  }
  if (!phase.detail.empty() && columns_of(plain) + 8 < room) {
    const auto detail = cut_to(printable(phase.detail), room - columns_of(plain) - 2);
    add(" " + detail, " " + paint.dim(detail));
  }
  return painted;
}

}  // namespace pgrehearse
