// A tmpfs mounted for the duration of a test, if mounting is permitted.
#pragma once

#include <sys/mount.h>

#include <filesystem>

namespace pgrehearse {

class SmallDisk {
 public:
  // `flags`: as of mount(2).
  SmallDisk(std::filesystem::path directory, const char* options, unsigned long flags = 0)
      : directory_(std::move(directory)) {
    std::filesystem::create_directories(directory_);
    mounted_ = mount("tmpfs", directory_.c_str(), "tmpfs", flags, options) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(directory_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  std::filesystem::path directory_;
  bool mounted_ = false;
};

}  // namespace pgrehearse
