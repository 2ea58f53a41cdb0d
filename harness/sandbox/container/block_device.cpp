#include "harness/sandbox/container/block_device.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

namespace pgrehearse {

namespace fs = std::filesystem;

std::optional<fs::path> block_device(dev_t number, const fs::path& sys) {
  std::error_code missing;
  auto directory =
      fs::canonical(sys / fmt::format("dev/block/{}:{}", major(number), minor(number)), missing);
  if (missing) return {};
  if (fs::exists(directory / "partition", missing)) directory = directory.parent_path();
  auto name = directory.filename().string();
  std::replace(name.begin(), name.end(), '!', '/');  // as in "cciss!c0d0"
  return "/dev/" + name;
}

PathsOnDisks disks_of(const std::vector<fs::path>& paths) {
  PathsOnDisks disks;
  for (const auto& path : paths) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) continue;
    const auto device = block_device(status.st_dev);
    if (!device) {
      disks.without_disk.push_back(path);
    } else if (std::find(disks.devices.begin(), disks.devices.end(), *device) ==
               disks.devices.end()) {
      disks.devices.push_back(*device);
    }
  }
  return disks;
}

}  // namespace pgrehearse
