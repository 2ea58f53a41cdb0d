#include "harness/reporting/progress/progress_choice.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "harness/reporting/progress/line_progress.hpp"
#include "harness/reporting/progress/silent_progress.hpp"
#include "harness/reporting/progress/terminal_progress.hpp"
#include "harness/reporting/terminal.hpp"

namespace pgrehearse {

std::unique_ptr<ProgressListener> progress_on_stderr(bool quiet, bool no_color) {
  if (quiet) return std::make_unique<SilentProgress>();
  const char* kind = std::getenv("TERM");
  // A dumb terminal cannot clear a line.
  const bool can_redraw = kind != nullptr && std::string_view(kind) != "dumb";
  if (!can_redraw || !is_terminal(STDERR_FILENO)) return std::make_unique<LineProgress>(std::cerr);
  return std::make_unique<TerminalProgress>(
      std::cerr, TerminalProgress::Options{.color = wants_color(STDERR_FILENO, no_color),
                                           .width = [] { return terminal_width(STDERR_FILENO); }});
}

}  // namespace pgrehearse
