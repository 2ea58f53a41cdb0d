// The disks of this host whose use the kernel can limit, by the files on them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace pgrehearse {

// The whole disk, not the partition: "/dev/sda". nullopt: the device number is not a block device
// (tmpfs, NFS, a file system on several devices). `sys`: for tests.
std::optional<std::filesystem::path> block_device(dev_t number,
                                                  const std::filesystem::path& sys = "/sys");

struct PathsOnDisks {
  std::vector<std::filesystem::path> devices;       // each once
  std::vector<std::filesystem::path> without_disk;  // paths that are not on a disk
};
// Ignores paths that do not exist.
PathsOnDisks disks_of(const std::vector<std::filesystem::path>& paths);

}  // namespace pgrehearse
