// When a drill has to wait for others on its host.
#include "harness/serve/host_budget.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30U;

StartedProcess drill(std::string name, std::uint64_t memory, std::optional<std::uint64_t> disk,
                     std::string directory = "/a") {
  StartedProcess process{.scenario = std::move(name)};
  process.demand.memory = Bytes{memory * gigabyte};
  if (disk) process.demand.disk = Bytes{*disk * gigabyte};
  process.demand.directory = std::move(directory);
  return process;
}

// 100 GB free in /a and /b, which are different file systems.
FreeDisk disks(const std::filesystem::path& directory) {
  return {.bytes = {100 * gigabyte}, .file_system = directory == "/a" ? 1U : 2U};
}

std::string reason(const HostBudget& budget, const std::vector<StartedProcess>& running,
                   const StartedProcess& next) {
  return reason_to_wait(budget, running, next.demand, disks);
}

const HostBudget four{.drills = 4, .memory = {16 * gigabyte}, .free_disk = {}};

TEST(HostBudget, NumberOfDrills) {
  const HostBudget one{.drills = 1, .memory = {16 * gigabyte}, .free_disk = {}};
  EXPECT_EQ(reason(one, {}, drill("b", 1, 1)), "");
  EXPECT_EQ(reason(one, {drill("a", 1, 1)}, drill("b", 1, 1)), "1 drill running (--max-drills 1)");
}

TEST(HostBudget, Memory) {
  EXPECT_EQ(reason(four, {drill("a", 8, 1)}, drill("b", 8, 1)), "");
  EXPECT_EQ(reason(four, {drill("a", 8, 1)}, drill("b", 9, 1)),
            "memory: 17.0 GB with the drills that are running, limit 16.0 GB (--memory)");
  // Alone it is started, and reports itself what it lacks.
  EXPECT_EQ(reason(four, {}, drill("b", 32, 1)), "");
}

TEST(HostBudget, DiskSpaceIsReservedForRunningDrills) {
  EXPECT_EQ(reason(four, {drill("a", 1, 60)}, drill("b", 1, 40)), "");
  EXPECT_EQ(reason(four, {drill("a", 1, 60)}, drill("b", 1, 41)),
            "disk space in /a: 100.0 GB free, 60.0 GB reserved, needs 41.0 GB");
  EXPECT_EQ(reason(four, {drill("a", 1, 60, "/b")}, drill("b", 1, 90)), "");
  EXPECT_EQ(reason(four, {}, drill("b", 1, 200)), "");
  HostBudget careful = four;
  careful.free_disk = {50 * gigabyte};
  EXPECT_EQ(reason(careful, {}, drill("b", 1, 60)),
            "disk space in /a: 100.0 GB free, 50.0 GB reserved, needs 60.0 GB");
}

TEST(HostBudget, ADrillOfUnknownSizeRunsAlone) {
  EXPECT_NE(reason(four, {drill("a", 1, 1)}, drill("b", 1, {})), "");
  EXPECT_NE(reason(four, {drill("a", 1, {})}, drill("b", 1, 1)), "");
  EXPECT_EQ(reason(four, {drill("a", 1, {}, "/b")}, drill("b", 1, 1)), "");
  // In a pod it needs nothing of this host.
  EXPECT_EQ(reason(four, {drill("a", 1, {})}, drill("b", 0, {}, "")), "");
}

TEST(HostBudget, FreeDiskOfADirectoryThatDoesNotExistYet) {
  const auto root = free_disk("/");
  EXPECT_GT(root.bytes.count, 0U);
  EXPECT_EQ(free_disk("/no/such/directory").file_system, root.file_system);
}

}  // namespace
}  // namespace pgrehearse
