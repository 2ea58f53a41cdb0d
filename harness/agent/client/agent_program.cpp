#include "harness/agent/client/agent_program.hpp"

// The compiler has no other way to take in a file before C++26's #embed.
asm(".section .rodata\n"
    ".balign 16\n"
    "pgrehearse_agent_begin:\n"
    ".incbin \"" PGREHEARSE_AGENT
    "\"\n"
    "pgrehearse_agent_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char pgrehearse_agent_begin[];
extern const char pgrehearse_agent_end[];
}

namespace pgrehearse {

std::string_view agent_binary() {
  return {static_cast<const char*>(pgrehearse_agent_begin),
          static_cast<std::size_t>(pgrehearse_agent_end - pgrehearse_agent_begin)};
}

}  // namespace pgrehearse
