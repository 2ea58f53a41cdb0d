// The directory of runs, sandboxes and logs.
#pragma once

#include <filesystem>
#include <string>

namespace pgrehearse {

// `stated` as an absolute path unless empty; else /var/lib/pgrehearse for root and postgres, else
// $XDG_STATE_HOME/pgrehearse or ~/.local/state/pgrehearse. ~ is $HOME if that directory exists,
// else the account's home. Does not create it.
std::filesystem::path resolve_state_directory(const std::filesystem::path& stated);

// " --state DIR" for a printed command, quoted for a shell; empty for the directory that is used
// without the option.
std::string state_option(const std::filesystem::path& state);

}  // namespace pgrehearse
