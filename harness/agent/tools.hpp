// What the harness does with files inside, as programs of the account: without following a
// symbolic link in the last place, ordinary files only.
//   read PATH OFFSET   to standard output; nothing when there is no such file
//   write PATH MODE    from standard input; replaces the file at once
//   size PATH          bytes of all files below
//   free PATH          bytes
//   files PATH         names of the ordinary files below, each ended by a NUL
//   killed             how many processes the kernel has killed for lack of memory
#pragma once

#include <span>
#include <string_view>

namespace pgrehearse::guest {

// The exit code; 1 with a message on standard error.
int run_tool(std::span<const std::string_view> words);

}  // namespace pgrehearse::guest
