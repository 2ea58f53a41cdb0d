// Commands of a sandbox that run on this host.
#pragma once

#include <string>

#include "harness/process/command.hpp"
#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

// `command` as the account of the sandbox, with its labels; it can write to the sandbox's root
// only.
Command host_command(const HostDirectory& directory, const Command& command);

// Whether the backup tool runs on this host: containers and virtual machines have no network,
// except a container with sandbox.egress.
bool backup_tool_runs_outside(const SandboxSpec& spec);
// ", the backup tool runs on this host (repo1 is of type s3)"; empty: it does not.
std::string backup_tool_place(const SandboxSpec& spec);

}  // namespace pgrehearse
