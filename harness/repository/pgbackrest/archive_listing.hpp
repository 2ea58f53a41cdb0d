// Reads the listing of a WAL archive directory: `pgbackrest repo-ls --recurse --output=json`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

struct ParsedArchive {
  ArchiveListing listing;                  // without histories
  std::vector<std::string> history_files;  // names, sorted
};

// `id` is the archive's directory ("15-1"). Returns WAL segments (duplicates kept) and history
// files; ignores partial segments, backup history files and uploads in progress; the rest is
// `unrecognized`. So is a segment in the wrong directory, which pgBackRest would not find. Throws
// Error(repository, repo_listing) on malformed JSON.
ParsedArchive parse_archive_listing(std::string_view json, const std::string& id,
                                    std::uint64_t segment_size);

}  // namespace pgrehearse
