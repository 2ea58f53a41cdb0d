// The directory of runs, sandboxes and logs.
#pragma once

#include <filesystem>

namespace pgrehearse {

// `stated` as an absolute path unless empty; else /var/lib/pgrehearse for root and postgres, else
// $XDG_STATE_HOME/pgrehearse or ~/.local/state/pgrehearse. Does not create it.
std::filesystem::path resolve_state_directory(const std::filesystem::path& stated);

}  // namespace pgrehearse
