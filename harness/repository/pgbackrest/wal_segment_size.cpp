#include "harness/repository/pgbackrest/wal_segment_size.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace pgrehearse {

namespace {

constexpr std::uint64_t one_log = std::uint64_t{1} << 32U;
constexpr std::uint64_t largest_segment_size = std::uint64_t{1} << 30U;

std::vector<std::uint64_t> sizes_that_fit(const Backup& backup) {
  std::vector<std::uint64_t> sizes;
  for (auto size = smallest_segment_size; size <= largest_segment_size; size *= 2) {
    const bool offline = backup.start_segment.empty();
    const auto segment = parse_wal_segment(backup.start_segment, size);
    if (!segment && !offline) continue;
    if (segment && backup.start_lsn && segment->number != backup.start_lsn->value / size) continue;
    sizes.push_back(size);
  }
  return sizes;
}

std::optional<std::uint64_t> the_only(const std::vector<std::uint64_t>& sizes) {
  return sizes.size() == 1 ? std::optional(sizes.front()) : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> deduce_segment_size(const Backup& backup) {
  return the_only(sizes_that_fit(backup));
}

std::optional<std::uint64_t> deduce_segment_size(const Backup& backup,
                                                 const ArchiveListing& archive) {
  constexpr auto parts = one_log / smallest_segment_size;
  // The highest segment of each 4 GiB of a timeline.
  std::map<std::pair<Timeline, std::uint64_t>, std::uint64_t> highest;
  for (const auto& file : archive.segments) {
    auto& part = highest[{file.segment.timeline, file.segment.number / parts}];
    part = std::max(part, file.segment.number % parts);
  }
  auto sizes = sizes_that_fit(backup);
  for (const auto& [log, part] : highest) {
    const bool complete = highest.contains({log.first, log.second + 1});
    std::erase_if(sizes, [&, part = part](std::uint64_t size) {
      return complete ? part + 1 != one_log / size : part >= one_log / size;
    });
  }
  return the_only(sizes);
}

}  // namespace pgrehearse
