// File tools in the virtual machine, run under the account of the sandbox. They access regular
// files only and do not follow a symbolic link in the last component.
//   read PATH OFFSET   to standard output; nothing when the file does not exist
//   write PATH MODE    from standard input; replaces the file atomically
//   size PATH          total bytes of the files below
//   free PATH          free bytes of the file system
//   files PATH         names of the regular files below, each terminated by NUL
//   pipe PATH          creates a named pipe
//   killed             number of processes that the kernel killed for lack of memory
#pragma once

#include <span>
#include <string_view>

namespace pgrehearse::agent {

// Returns the exit code; 1 with a message on standard error.
int run_tool(std::span<const std::string_view> words);

}  // namespace pgrehearse::agent
