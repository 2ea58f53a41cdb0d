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

struct PlacesOnDisks {
  std::vector<std::filesystem::path> devices;       // each once
  std::vector<std::filesystem::path> without_disk;  // places that lie on none
};
// A place that is not there is left out.
PlacesOnDisks disks_of(const std::vector<std::filesystem::path>& places);

}  // namespace pgrehearse
