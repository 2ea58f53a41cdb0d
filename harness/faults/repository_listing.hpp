// Detects changes of a repository: lists all files of a stanza before and afterwards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace pgrehearse {

struct ListedFile {
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;   // time of the last inode change: owner, mode, links, content
  std::uint64_t inode = 0;
  std::uint32_t mode = 0;
  bool directory = false;
  auto operator<=>(const ListedFile&) const = default;
};

// By path relative to the repository.
using RepositoryListing = std::map<std::string, ListedFile>;

// The stanza's part of the repository and its parent directories. Throws Error(environment) if it
// cannot be listed.
RepositoryListing list_repository(const std::filesystem::path& repository,
                                  const std::string& stanza);

struct RepositoryChange {
  // New WAL segments of known timelines, archived by a running primary.
  std::vector<std::string> new_segments;
  std::vector<std::string> differences;  // "changed: archive/...", "new: ...", "gone: ..."
};

RepositoryChange changes_between(const RepositoryListing& before, const RepositoryListing& after);

}  // namespace pgrehearse
