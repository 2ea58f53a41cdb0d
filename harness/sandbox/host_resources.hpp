// Memory and CPUs of this host, or the limits of this process's control group if they are lower.
#pragma once

#include <cstdint>
#include <filesystem>

#include "harness/common/units.hpp"

namespace pgrehearse {

// `root`: for tests.
Bytes host_memory(const std::filesystem::path& root = "/");
int host_cpus(const std::filesystem::path& root = "/");
// Number of processes in this process's control group that the kernel killed: out of memory.
std::uint64_t memory_kills(const std::filesystem::path& root = "/");

}  // namespace pgrehearse
