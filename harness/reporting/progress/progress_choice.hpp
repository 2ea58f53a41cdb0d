// Which progress a drill shows on standard error.
#pragma once

#include <memory>

#include "harness/drill/progress.hpp"

namespace pgrehearse {

// A live line on a terminal, plain lines elsewhere, nothing with --quiet. Destroy it before the
// report is written.
std::unique_ptr<ProgressListener> progress_on_stderr(bool quiet, bool no_color);

}  // namespace pgrehearse
