#include "harness/faults/repository_listing.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <set>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/faults/damage/repository_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

// `follow`: for the top directories, which may be symbolic links.
ListedFile examine(const fs::path& path, bool follow) {
  struct stat status {};
  const int said = follow ? stat(path.c_str(), &status) : lstat(path.c_str(), &status);
  if (said != 0) {
    throw Error(
        ErrorKind::environment,
        fmt::format("cannot examine {}: {}", path.native(), std::generic_category().message(errno)),
        "if a backup or expire ran at the same time, try again", FindingCode::env_permission,
        path.native());
  }
  return {.size = static_cast<std::uint64_t>(status.st_size),
          .modified = nanoseconds(status.st_mtim),
          .changed = nanoseconds(status.st_ctim),
          .inode = status.st_ino,
          .mode = status.st_mode,
          .directory = S_ISDIR(status.st_mode)};
}

void list_below(const fs::path& repository, const fs::path& top, RepositoryListing& listing) {
  listing[top.lexically_relative(repository)] = examine(top, true);
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(top, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    listing[entry->path().lexically_relative(repository)] = examine(entry->path(), false);
  }
  if (failure) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot list {}: {}", top.native(), failure.message()),
                "give this account read permission on the whole stanza",
                FindingCode::env_permission, top.native());
  }
}

// A segment that a running primary may add meanwhile: on a known timeline, and no history file.
bool is_next_segment(const std::string& path, const std::set<std::string>& timelines) {
  return path.starts_with("archive/") && is_segment(path) &&
         timelines.contains(segment_name(path).substr(0, 8));
}

}  // namespace

RepositoryListing list_repository(const fs::path& repository, const std::string& stanza) {
  RepositoryListing listing;
  for (const auto* part : {"archive", "backup"}) {
    listing[part] = examine(repository / part, true);
    list_below(repository, repository / part / stanza, listing);
  }
  return listing;
}

RepositoryChange changes_between(const RepositoryListing& before, const RepositoryListing& after) {
  std::set<std::string> timelines;
  for (const auto& [path, file] : before) {
    if (is_segment(path)) timelines.insert(segment_name(path).substr(0, 8));
  }
  RepositoryChange change;
  std::set<std::string> receivers;  // directories with new segments
  for (const auto& [path, file] : after) {
    if (before.contains(path)) continue;
    const bool next = is_next_segment(path, timelines);
    // A directory for segments, 256 each.
    const auto name = fs::path(path).filename().native();
    const bool place = file.directory && path.starts_with("archive/") && name.size() == 16 &&
                       timelines.contains(name.substr(0, 8));
    if (next || place) receivers.insert(fs::path(path).parent_path());
    if (next) change.new_segments.push_back(path);
    if (!next && !place) change.differences.push_back("new: " + path);
  }
  for (const auto& [path, was] : before) {
    const auto found = after.find(path);
    if (found == after.end()) {
      change.differences.push_back("gone: " + path);
      continue;
    }
    auto is = found->second;
    if (was.directory && is.directory && receivers.contains(path)) {
      is.size = was.size;
      is.modified = was.modified;
      is.changed = was.changed;
    }
    if (is != was) change.differences.push_back("changed: " + path);
  }
  return change;
}

}  // namespace pgrehearse
