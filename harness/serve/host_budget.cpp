#include "harness/serve/host_budget.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>

#include "harness/common/counted.hpp"
#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

std::string disk_problem(const HostBudget& budget, std::span<const StartedProcess> running,
                         const HostDemand& demand, const DiskReader& disk) {
  if (demand.directory.empty()) return {};
  // The drill itself reports a lack of space, which is better than waiting for ever.
  if (running.empty() && budget.free_disk.count == 0) return {};
  const auto free = disk(demand.directory);
  std::uint64_t reserved = budget.free_disk.count;
  for (const auto& other : running) {
    if (other.demand.directory.empty()) continue;
    if (disk(other.demand.directory).file_system != free.file_system) continue;
    // A drill whose size is not known yet runs alone.
    if (!other.demand.disk || !demand.disk) {
      return fmt::format("its first drill runs alone, as its size is not known; {} is running",
                         other.demand.disk ? other.scenario : other.scenario + ", also new,");
    }
    reserved += other.demand.disk->count;
  }
  const auto needed = demand.disk.value_or(Bytes{}).count;
  if (free.bytes.count >= reserved + needed) return {};
  return fmt::format("disk space in {}: {} free, {} reserved, needs {}", demand.directory.string(),
                     to_text(free.bytes), to_text(Bytes{reserved}), to_text(Bytes{needed}));
}

}  // namespace

FreeDisk free_disk(const std::filesystem::path& directory) {
  auto existing = directory;
  struct stat status {};
  while (stat(existing.c_str(), &status) != 0 && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  struct statvfs system {};
  if (statvfs(existing.c_str(), &system) != 0) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot read the free disk space of {}: {}", directory.string(),
                            std::generic_category().message(errno)));
  }
  return {.bytes = {std::uint64_t{system.f_bavail} * system.f_frsize},
          .file_system = status.st_dev};
}

std::string reason_to_wait(const HostBudget& budget, std::span<const StartedProcess> running,
                           const HostDemand& demand, const DiskReader& disk) {
  if (running.size() >= budget.drills) {
    return fmt::format("{} running (--max-drills {})", counted(running.size(), "drill"),
                       budget.drills);
  }
  std::uint64_t memory = demand.memory.count;
  for (const auto& other : running) memory += other.demand.memory.count;
  if (memory > budget.memory.count && !running.empty()) {
    return fmt::format("memory: {} with the drills that are running, limit {} (--memory)",
                       to_text(Bytes{memory}), to_text(budget.memory));
  }
  return disk_problem(budget, running, demand, disk);
}

}  // namespace pgrehearse
