// Chooses the progress output on standard error.
#pragma once

#include <memory>

#include "harness/drill/progress.hpp"

namespace pgrehearse {

// A live line on a terminal, plain lines otherwise, nothing with --quiet. Destroy it before writing
// the report.
std::unique_ptr<ProgressListener> progress_on_stderr(bool quiet, bool no_color);

}  // namespace pgrehearse
