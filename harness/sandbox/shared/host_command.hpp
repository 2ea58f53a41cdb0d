// Commands of a sandbox that run on this host.
#pragma once

#include "harness/process/command.hpp"
#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

// `command` as the account of the sandbox, with its labels; it can write to the sandbox's root
// only.
Command host_command(const HostDirectory& directory, const Command& command);

}  // namespace pgrehearse
