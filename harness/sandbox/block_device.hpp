// The disks of this host that hold files: what the kernel can limit the use of.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace pgrehearse {

// The whole disk, not the partition, as "/dev/sda". nullopt: the number stands for no block device
// (tmpfs, NFS, a file system over several). `sys` stands for "/sys" in tests.
std::optional<std::filesystem::path> block_device(dev_t number,
                                                  const std::filesystem::path& sys = "/sys");

// Those below the places, each once. A place that lies on none, or is not there, is left out.
std::vector<std::filesystem::path> block_devices_below(
    const std::vector<std::filesystem::path>& places);

}  // namespace pgrehearse
