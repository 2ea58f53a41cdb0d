// Reads the listing of a WAL archive directory: `pgbackrest repo-ls --recurse --output=json`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

struct ParsedArchive {
  ArchiveListing listing;                  // its histories are still empty
  std::vector<std::string> history_files;  // names of the history files there are, sorted
};

// `id` is the archive's directory ("15-1"). Sorts out WAL segments (duplicates kept), history
// files, and what belongs there but holds no whole segment (partial segments, backup history files,
// uploads under way); the rest is `unrecognised`. A segment in the wrong directory is unrecognised
// too: pgBackRest would not find it. Throws Error(repository, PGR-REPO-LISTING) on malformed JSON.
ParsedArchive parse_archive_listing(std::string_view json, const std::string& id,
                                    std::uint64_t segment_size);

}  // namespace pgrehearse
