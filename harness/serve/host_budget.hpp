// How much of this host drills may use at a time.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "harness/serve/drill_processes.hpp"

namespace pgrehearse {

struct HostBudget {
  std::size_t drills = 1;
  Bytes memory;     // of all drills together
  Bytes free_disk;  // to be left free on each file system
};

// Free bytes of the file system of a directory, and an identity of that file system.
struct FreeDisk {
  Bytes bytes;
  std::uint64_t file_system = 0;
};
using DiskReader = std::function<FreeDisk(const std::filesystem::path& directory)>;
// From the nearest directory that exists. Throws Error(environment).
FreeDisk free_disk(const std::filesystem::path& directory);

// Why a drill cannot be started in addition to `running`; empty: it can. A drill with an unknown
// demand of disk space runs alone. A single drill is refused only for `free_disk`: it reports
// itself what it lacks.
std::string reason_to_wait(const HostBudget& budget, std::span<const StartedProcess> running,
                           const HostDemand& demand, const DiskReader& disk);

}  // namespace pgrehearse
