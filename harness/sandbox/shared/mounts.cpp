#include "harness/sandbox/shared/mounts.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "harness/common/text.hpp"
#include "harness/sandbox/directories.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

// The kernel writes a space as \040.
fs::path unescaped(std::string_view text) {
  std::string path;
  constexpr std::size_t escape = 4;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + escape <= text.size()) {
      path += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                (text[at + 3] - '0'));
      at += escape - 1;
    } else {
      path += text[at];
    }
  }
  return path;
}

}  // namespace

std::string mounts_of_this_process() {
  std::ifstream file("/proc/self/mountinfo");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> with_mounts_below(const std::vector<fs::path>& paths,
                                        std::string_view mountinfo) {
  std::vector<fs::path> all;
  for (const auto& path : paths) {
    const bool covered = std::any_of(paths.begin(), paths.end(), [&](const auto& other) {
      return other != path && is_below(path, other);
    });
    if (!covered && std::find(all.begin(), all.end(), path) == all.end()) all.push_back(path);
  }
  const auto covering = all;
  constexpr std::size_t mount_point = 4;
  for (const auto line : lines_of(mountinfo)) {
    const auto fields = split(line, ' ');
    if (fields.size() <= mount_point) continue;
    const auto mounted = unescaped(fields[mount_point]);
    const bool below = std::any_of(covering.begin(), covering.end(), [&](const auto& path) {
      return mounted != path && is_below(mounted, path);
    });
    if (below && std::find(all.begin(), all.end(), mounted) == all.end()) all.push_back(mounted);
  }
  return all;
}

}  // namespace pgrehearse
