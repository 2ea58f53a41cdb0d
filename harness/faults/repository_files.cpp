#include "harness/faults/repository_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t name_length = 24;

bool by_name(const fs::path& left, const fs::path& right) {
  return left.filename() < right.filename();
}

std::vector<fs::path> segments_of(const PlantingSite& site) {
  auto files = repository_files(site, "archive");
  std::erase_if(files, [](const auto& file) { return !is_segment(file); });
  std::sort(files.begin(), files.end(), by_name);
  return files;
}

// "000000010000000000000005.00000028.backup-...": where the newest backup began.
std::string start_of_newest_backup(const PlantingSite& site) {
  std::string newest;
  for (const auto& file : repository_files(site, "archive")) {
    const std::string name = file.filename().native();
    if (name.find(".backup") != std::string::npos) {
      newest = std::max(newest, name.substr(0, name_length));
    }
  }
  return newest;
}

}  // namespace

bool is_segment(const fs::path& file) {
  const std::string name = file.filename().native();
  return name.size() > name_length && name.find_first_not_of("0123456789ABCDEF") == name_length &&
         name.at(name_length) == '-';
}

std::vector<fs::path> repository_files(const PlantingSite& site, std::string_view part) {
  std::vector<fs::path> files;
  const auto top = site.repository / part / site.laboratory.options().stanza;
  for (const auto& entry : fs::recursive_directory_iterator(top)) {
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

fs::path find_segment(const PlantingSite& site, const std::string& which) {
  const auto segments = segments_of(site);
  const auto fail = [&]() -> fs::path {
    throw Error(ErrorKind::internal, fmt::format("the archive has no segment '{}' among its {}",
                                                 which, segments.size()));
  };
  if (segments.empty()) return fail();
  if (which == "first") return segments.front();
  if (which == "last") return segments.back();
  if (which == "backup_start" || which == "middle") {
    const auto start = start_of_newest_backup(site);
    const auto needed = std::find_if(segments.begin(), segments.end(), [&](const auto& file) {
      return file.filename().native().starts_with(start);
    });
    if (which == "backup_start") return needed == segments.end() ? fail() : *needed;
    const auto behind = std::distance(needed, segments.end());
    return behind < 4 ? fail() : *(needed + behind / 2);
  }
  if (which == "switch") {
    const auto timeline = segments.front().filename().native().substr(0, 8);
    const auto other = std::find_if(segments.begin(), segments.end(), [&](const auto& file) {
      return !file.filename().native().starts_with(timeline);
    });
    return other == segments.end() || other == segments.begin() ? fail() : *(other - 1);
  }
  const auto found = std::find_if(segments.begin(), segments.end(), [&](const auto& file) {
    return file.filename().native().starts_with(which);
  });
  return found == segments.end() ? fail() : *found;
}

void flip_byte(const fs::path& file, std::uint64_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<unsigned>(stream.get()) ^ 0x40U;
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte));
  if (!stream) throw Error(ErrorKind::internal, fmt::format("cannot change {}", file.native()));
}

void give_to(const PlantingSite& site, const fs::path& directory) {
  if (geteuid() != 0) return;
  const auto& account = site.laboratory.account();
  const auto give = [&](const fs::path& path) {
    if (lchown(path.c_str(), account.uid, account.gid) != 0) {
      throw Error(ErrorKind::internal, fmt::format("cannot give away {}", path.native()));
    }
  };
  give(directory);
  if (!fs::is_directory(directory)) return;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) give(entry.path());
}

}  // namespace pgrehearse
