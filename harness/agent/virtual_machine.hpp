// The first process of a virtual machine: makes the quarantine's walls from the inside, then runs
// what the harness asks for. There is no other program in the initial file system, and no shell.
#pragma once

namespace pgrehearse::guest {

// Never returns: the machine ends with it.
[[noreturn]] void run_machine();

}  // namespace pgrehearse::guest
