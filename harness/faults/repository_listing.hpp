// Whether a repository is what it was: every file of a stanza, before and after.
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
  std::int64_t changed = 0;   // the inode: owner, mode, links, and whatever changes the content
  std::uint64_t inode = 0;
  std::uint32_t mode = 0;
  bool directory = false;
  auto operator<=>(const ListedFile&) const = default;
};

// By path below the repository.
using RepositoryListing = std::map<std::string, ListedFile>;

// The stanza's part of the repository, and the directories that lead to it. Throws
// Error(environment) when it cannot be listed.
RepositoryListing list_repository(const std::filesystem::path& repository,
                                  const std::string& stanza);

struct RepositoryChange {
  // WAL segments of timelines that were there before: what a primary that goes on archives.
  std::vector<std::string> arrived;
  std::vector<std::string> different;  // "changed: archive/...", "new: ...", "gone: ..."
};

RepositoryChange changes_between(const RepositoryListing& before, const RepositoryListing& after);

}  // namespace pgrehearse
