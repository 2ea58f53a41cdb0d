#include "harness/sandbox/host_resources.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30U;

class HostResources : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-host-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    write("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:  1 kB\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const fs::path& file, const std::string& content) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << content;
  }

  fs::path root_;
};

TEST_F(HostResources, WithoutControlGroupsTheLimitIsTheMachines) {
  EXPECT_EQ(host_memory(root_).count, 8 * gigabyte);
  EXPECT_GE(host_cpus(root_), 1);
}

TEST_F(HostResources, OutOfMemoryKillsAreCountedInTheNearestGroup) {
  EXPECT_EQ(memory_kills(root_), 0U);
  write("proc/self/cgroup", "0::/system.slice/drill.service\n");
  write("sys/fs/cgroup/system.slice/memory.events", "oom 9\noom_kill 9\n");
  EXPECT_EQ(memory_kills(root_), 9U);
  write("sys/fs/cgroup/system.slice/drill.service/memory.events", "low 0\noom 3\noom_kill 2\n");
  EXPECT_EQ(memory_kills(root_), 2U);
}

TEST_F(HostResources, LimitOfAParentGroupApplies) {
  write("proc/self/cgroup", "0::/system.slice/drill.service\n");
  write("sys/fs/cgroup/system.slice/memory.max", "3221225472\n");
  write("sys/fs/cgroup/system.slice/drill.service/memory.max", "max\n");
  write("sys/fs/cgroup/system.slice/drill.service/cpu.max", "100000 100000\n");
  EXPECT_EQ(host_memory(root_).count, 3 * gigabyte);
  EXPECT_EQ(host_cpus(root_), 1);
}

TEST_F(HostResources, ControlGroupsVersion1AreRead) {
  write("proc/self/cgroup", "4:memory:/drill\n3:cpu,cpuacct:/drill\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/drill/memory.limit_in_bytes", "2147483648\n");
  write("sys/fs/cgroup/cpu,cpuacct/drill/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu,cpuacct/drill/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(host_memory(root_).count, 2 * gigabyte);
  EXPECT_EQ(host_cpus(root_), 1);
}

TEST_F(HostResources, ControlGroupNamespaceOfAContainerIsRead) {
  write("proc/self/cgroup", "0::/docker/0123456789\n");
  write("sys/fs/cgroup/memory.max", "1073741824\n");
  EXPECT_EQ(host_memory(root_).count, gigabyte);
}

TEST_F(HostResources, WithoutAQuotaThereIsNoLimit) {
  write("proc/self/cgroup", "3:cpu:/\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(host_cpus(root_), host_cpus(root_ / "none"));
}

}  // namespace
}  // namespace pgrehearse
