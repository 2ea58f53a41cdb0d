#include "harness/agent/client/agent_program.hpp"

// Before C++26's #embed, the assembler is the only way to embed a file.
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
