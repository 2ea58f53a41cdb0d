// Where pgrehearse keeps runs, kept sandboxes and logs.
#pragma once

#include <filesystem>

namespace pgrehearse {

// `stated` made absolute if it is not empty; else /var/lib/pgrehearse for root and postgres, else
// $XDG_STATE_HOME/pgrehearse or ~/.local/state/pgrehearse. Creates nothing.
std::filesystem::path resolve_state_directory(const std::filesystem::path& stated);

}  // namespace pgrehearse
