// How much memory and how many processors this host grants: the machine's, or less where a control
// group says so.
#pragma once

#include <cstdint>
#include <filesystem>

#include "harness/common/units.hpp"

namespace pgrehearse {

// `root` stands for "/" in tests.
Bytes host_memory(const std::filesystem::path& root = "/");
int host_cpus(const std::filesystem::path& root = "/");
// How many processes of this process's control group the kernel has killed for want of memory.
std::uint64_t memory_kills(const std::filesystem::path& root = "/");

}  // namespace pgrehearse
