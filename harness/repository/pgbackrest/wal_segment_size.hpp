// The WAL segment size of a backup's cluster, deduced from segment names without fetching a file.
#pragma once

#include <cstdint>
#include <optional>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The smallest size that PostgreSQL allows; with it, a listing accepts every segment name.
constexpr std::uint64_t smallest_segment_size = std::uint64_t{1} << 20U;

// From the backup's start LSN and the name of its segment. nullopt if these allow several sizes
// (the first segment of 4 GiB of WAL) or the backup has no LSN.
std::optional<std::uint64_t> deduce_segment_size(const Backup& backup);

// Also from the numbers of the archived segments; `archive` was read with smallest_segment_size.
// nullopt if several sizes are still possible.
std::optional<std::uint64_t> deduce_segment_size(const Backup& backup,
                                                 const ArchiveListing& archive);

}  // namespace pgrehearse
