// The program that runs inside virtual machines (harness/guest), carried in this one.
#pragma once

#include <string_view>

namespace pgrehearse {

// An ELF file.
std::string_view vm_guest_program();

}  // namespace pgrehearse
