// How large one WAL segment of a backup's cluster is, told by the names that PostgreSQL gave its
// segments: no file needs to be fetched and unpacked for it.
#pragma once

#include <cstdint>
#include <optional>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The smallest size that PostgreSQL allows; a listing read with it takes every segment name.
constexpr std::uint64_t smallest_segment_size = std::uint64_t{1} << 20U;

// From the LSN at which the backup starts and the name of the segment that holds it. nullopt where
// these allow several sizes (the first segment of 4 GiB of WAL) or where the set records no LSN.
std::optional<std::uint64_t> deduce_segment_size(const Backup& backup);

// Also from the numbers of the archived segments; `archive` was read with smallest_segment_size.
// nullopt where several sizes are still possible.
std::optional<std::uint64_t> deduce_segment_size(const Backup& backup,
                                                 const ArchiveListing& archive);

}  // namespace pgrehearse
