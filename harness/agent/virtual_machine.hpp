// Process 1 of a virtual machine: sets up file systems and restrictions, then runs commands for the
// harness. The initial file system contains no other program, and no shell.
#pragma once

namespace pgrehearse::agent {

// Does not return: the virtual machine shuts down when it ends.
[[noreturn]] void run_virtual_machine();

}  // namespace pgrehearse::agent
