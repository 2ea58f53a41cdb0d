#include "harness/sandbox/guest_program.hpp"

// The compiler has no other way to take in a file before C++26's #embed.
asm(".section .rodata\n"
    ".balign 16\n"
    "pgrehearse_guest_begin:\n"
    ".incbin \"" PGREHEARSE_GUEST
    "\"\n"
    "pgrehearse_guest_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char pgrehearse_guest_begin[];
extern const char pgrehearse_guest_end[];
}

namespace pgrehearse {

std::string_view guest_program() {
  return {static_cast<const char*>(pgrehearse_guest_begin),
          static_cast<std::size_t>(pgrehearse_guest_end - pgrehearse_guest_begin)};
}

}  // namespace pgrehearse
