#include "harness/faults/damage/repository_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t name_length = 24;
constexpr std::size_t timeline_length = 8;

bool by_name(const fs::path& left, const fs::path& right) {
  return left.filename() < right.filename();
}

// "000000010000000000000005.00000028.backup-...": the start of the newest backup.
std::string start_of_newest_backup(const InjectionSite& site) {
  if (!site.traits.first_segment.empty()) return site.traits.first_segment;
  std::string newest;
  for (const auto& file : archive_files(site)) {
    const std::string name = file.filename().native();
    if (name.find(".backup") != std::string::npos) {
      newest = std::max(newest, name.substr(0, name_length));
    }
  }
  return newest;
}

// A segment that replay of the restored backup reads, not the first or the last one. Where an older
// timeline continues next to a newer one, the newest counts.
fs::path middle_segment(const InjectionSite& site, const std::vector<fs::path>& segments) {
  const auto position = [](const std::string& segment) { return segment.substr(timeline_length); };
  const auto start = start_of_newest_backup(site);
  const auto& end = site.traits.last_segment;
  std::map<std::string, fs::path> needed;
  for (const auto& file : segments) {
    const auto name = segment_name(file);
    if (start.empty() || position(name) < position(start) || name < start) continue;
    if (!end.empty() && (position(name) > position(end) || name > end)) continue;
    needed[position(name)] = file;
  }
  constexpr std::size_t fewest = 4;
  if (needed.size() < fewest) {
    throw DoesNotApply(fmt::format("replay reads only {} WAL segments", needed.size()));
  }
  return std::next(needed.begin(), static_cast<std::ptrdiff_t>(needed.size() / 2))->second;
}

}  // namespace

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

RepositoryPlace place_of(const InjectionSite& site) {
  return {.tool = site.traits.tool,
          .repository = site.repository,
          .stanza = site.traits.stanza,
          .configuration = site.configuration};
}

bool is_segment(const fs::path& file) {
  const std::string name = file.filename().native();
  const auto digits = std::min(name.find_first_not_of("0123456789ABCDEF"), name.size());
  return digits == name_length && (name.size() == name_length || name.at(name_length) == '-');
}

std::vector<fs::path> archive_files(const InjectionSite& site) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(place_of(site).archive())) {
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> archived_segments(const InjectionSite& site) {
  auto files = archive_files(site);
  std::erase_if(files, [](const auto& file) { return !is_segment(file); });
  std::sort(files.begin(), files.end(), by_name);
  return files;
}

std::string segment_name(const fs::path& file) {
  return file.filename().native().substr(0, name_length);
}

fs::path find_segment(const InjectionSite& site, const std::string& which) {
  const auto segments = archived_segments(site);
  const auto named = [&](const std::string& name) {
    return std::find_if(segments.begin(), segments.end(), [&](const auto& file) {
      return file.filename().native().starts_with(name);
    });
  };
  const auto fail = [&]() -> fs::path {
    throw DoesNotApply(
        fmt::format("the archive has no segment '{}' among its {}", which, segments.size()));
  };
  if (segments.empty()) return fail();
  if (which == "first") return segments.front();
  if (which == "last") return segments.back();
  if (which == "middle") return middle_segment(site, segments);
  if (which == "switch") {
    const auto timeline = segment_name(segments.front()).substr(0, timeline_length);
    const auto other = std::find_if(segments.begin(), segments.end(), [&](const auto& file) {
      return !file.filename().native().starts_with(timeline);
    });
    return other == segments.end() || other == segments.begin() ? fail() : *(other - 1);
  }
  const auto found = named(which == "backup_start" ? start_of_newest_backup(site) : which);
  return found == segments.end() ? fail() : *found;
}

std::string newest_timeline(const InjectionSite& site) {
  std::string newest;
  for (const auto& file : archive_files(site)) {
    const auto name = file.filename().native();
    if (name.find_first_not_of("0123456789ABCDEF") < timeline_length) continue;
    newest = std::max(newest, name.substr(0, timeline_length));
  }
  return newest;
}

fs::path stored_file(const fs::path& data, const std::string& file) {
  for (const auto* extension : {"", ".gz", ".lz4", ".zst", ".bz2"}) {
    auto stored = data / (file + extension);
    if (fs::exists(stored)) return stored;
  }
  throw DoesNotApply(fmt::format("backup {} stores {} bundled with other files",
                                 data.parent_path().filename().native(), file));
}

void make_own(const fs::path& file) {
  if (fs::hard_link_count(file) == 1) return;
  struct stat status {};
  const auto own = fs::path(file) += ".own";
  fs::copy_file(file, own);
  if (stat(file.c_str(), &status) != 0 ||
      (geteuid() == 0 && lchown(own.c_str(), status.st_uid, status.st_gid) != 0)) {
    throw Error(ErrorKind::internal, fmt::format("cannot replace {}", file.native()));
  }
  fs::rename(own, file);
}

void truncate_file(const fs::path& file, std::uint64_t size) {
  make_own(file);
  fs::resize_file(file, size);
}

void flip_byte(const fs::path& file, std::uint64_t at, unsigned bits) {
  make_own(file);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<unsigned>(stream.get()) ^ bits;
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte));
  if (!stream) throw Error(ErrorKind::internal, fmt::format("cannot change {}", file.native()));
}

void give_to(const InjectionSite& site, const fs::path& directory) {
  if (geteuid() != 0) return;
  const auto& account = site.account;
  const auto give = [&](const fs::path& path) {
    if (lchown(path.c_str(), account.uid, account.gid) != 0) {
      throw Error(ErrorKind::internal, fmt::format("cannot change the owner of {}", path.native()));
    }
  };
  give(directory);
  if (!fs::is_directory(directory)) return;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) give(entry.path());
}

}  // namespace pgrehearse
