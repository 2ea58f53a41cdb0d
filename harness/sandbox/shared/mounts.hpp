// Which file systems have to be mounted to make paths of this host visible elsewhere.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// The text of /proc/self/mountinfo.
std::string mounts_of_this_process();

// `paths` without duplicates and without those below another one, followed by every file system
// mounted below one of them. `mountinfo`: as mounts_of_this_process(); may be empty.
std::vector<std::filesystem::path> with_mounts_below(
    const std::vector<std::filesystem::path>& paths, std::string_view mountinfo);

}  // namespace pgrehearse
