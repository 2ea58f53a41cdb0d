#include "harness/sandbox/host_resources.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  const auto word = trim(text);
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (failure != std::errc{} || end == word.data()) return {};
  return number;
}

// The directories of this process's control group for one controller, and of its parents. In a
// container its own group is the root, whatever its name in /proc/self/cgroup.
std::vector<fs::path> group_directories(const fs::path& root, std::string_view controller) {
  std::vector<fs::path> directories;
  const auto groups = text_of(root / "proc/self/cgroup");
  for (const auto line : lines_of(groups)) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    const auto controllers = split(fields[1], ',');
    const bool unified = fields[1].empty();
    const bool named =
        std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
    if (!unified && !named) continue;
    auto top = root / "sys/fs/cgroup";
    if (!unified) top /= fields[1];
    auto group = fs::path(fields[2]).relative_path();
    for (; !group.empty(); group = group.parent_path()) directories.push_back(top / group);
    directories.push_back(top);
  }
  return directories;
}

}  // namespace

Bytes host_memory(const fs::path& root) {
  std::uint64_t memory = 0;
  const auto meminfo = text_of(root / "proc/meminfo");
  for (const auto line : lines_of(meminfo)) {
    if (!line.starts_with("MemTotal:")) continue;
    memory = number_in(line.substr(line.find(':') + 1)).value_or(0) * 1024;
  }
  for (const auto& directory : group_directories(root, "memory")) {
    for (const auto* file : {"memory.max", "memory.limit_in_bytes"}) {
      const auto limit = number_in(text_of(directory / file));
      if (limit && *limit > 0) memory = std::min(memory, *limit);
    }
  }
  return {memory};
}

int host_cpus(const fs::path& root) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  int cpus = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
  const auto respect = [&cpus](std::optional<std::uint64_t> quota,
                               std::optional<std::uint64_t> period) {
    if (!quota || !period || *period == 0) return;
    cpus = std::min(cpus, static_cast<int>((*quota + *period - 1) / *period));
  };
  for (const auto& directory : group_directories(root, "cpu")) {
    const auto both = text_of(directory / "cpu.max");
    const auto fields = split(trim(both), ' ');
    if (fields.size() == 2) respect(number_in(fields[0]), number_in(fields[1]));
    respect(number_in(text_of(directory / "cpu.cfs_quota_us")),
            number_in(text_of(directory / "cpu.cfs_period_us")));
  }
  return std::max(cpus, 1);
}

std::uint64_t memory_kills(const fs::path& root) {
  // The nearest group with a counter; its parents also count other processes.
  for (const auto& directory : group_directories(root, "memory")) {
    for (const auto* file : {"memory.events", "memory.oom_control"}) {
      const auto counters = text_of(directory / file);
      for (const auto line : lines_of(counters)) {
        const auto words = split(line, ' ');
        if (words.size() == 2 && words[0] == "oom_kill") return number_in(words[1]).value_or(0);
      }
    }
  }
  return 0;
}

}  // namespace pgrehearse
