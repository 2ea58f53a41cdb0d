#include "harness/sandbox/container/block_device.hpp"

#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <fstream>

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class BlockDevice : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "pgrehearse-sys-XXXXXX";
    sys_ = mkdtemp(name.data());
    fs::create_directories(sys_ / "dev/block");
    add("8:0", "sda");
    add("8:1", "sda/sda1");
    std::ofstream(sys_ / "devices/sda/sda1/partition") << "1\n";
    add("253:0", "virtual/dm-0");
    add("104:0", "cciss!c0d0");
  }
  void TearDown() override { fs::remove_all(sys_); }

  void add(const std::string& number, const std::string& place) {
    fs::create_directories(sys_ / "devices" / place);
    fs::create_symlink("../../devices/" + place, sys_ / "dev/block" / number);
  }

  fs::path sys_;
};

TEST_F(BlockDevice, PartitionResolvesToItsDisk) {
  EXPECT_EQ(block_device(makedev(8, 0), sys_), "/dev/sda");
  EXPECT_EQ(block_device(makedev(8, 1), sys_), "/dev/sda");
  EXPECT_EQ(block_device(makedev(253, 0), sys_), "/dev/dm-0");
  EXPECT_EQ(block_device(makedev(104, 0), sys_), "/dev/cciss/c0d0");
}

TEST_F(BlockDevice, UnknownDeviceNumberHasNoDisk) {
  EXPECT_EQ(block_device(makedev(0, 42), sys_), std::nullopt);
  const auto disks = disks_of({"/proc", "/no/such/place"});
  EXPECT_TRUE(disks.devices.empty());
  EXPECT_EQ(disks.without_disk, std::vector<fs::path>{"/proc"});
}

}  // namespace
}  // namespace pgrehearse
