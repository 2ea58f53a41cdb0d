// The agent that runs in virtual machines and containers (harness/agent), embedded in pgrehearse.
#pragma once

#include <string_view>

namespace pgrehearse {

// An ELF file.
std::string_view agent_binary();

}  // namespace pgrehearse
