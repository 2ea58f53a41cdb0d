// The program that runs inside virtual machines and containers (harness/guest), carried in this
// one.
#pragma once

#include <string_view>

namespace pgrehearse {

// An ELF file.
std::string_view agent_binary();

}  // namespace pgrehearse
