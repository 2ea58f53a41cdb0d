#include <fmt/format.h>

#include <algorithm>

#include "harness/common/counted.hpp"
#include "harness/reporting/map/map_formats.hpp"

namespace pgrehearse {

namespace {

std::string shown(Instant instant) { return to_text(instant); }

}  // namespace

std::string in_words(const MapArchive& archive) {
  return fmt::format("archive {}, PostgreSQL {}, repository {}: {}, {}, {}", archive.id,
                     archive.postgres_version, archive.repository_key,
                     counted(archive.backups.size(), "backup"),
                     counted(archive.segments, "WAL segment"), to_text(archive.bytes));
}

std::string when(const MapPoint& point) {
  if (point.time) return shown(*point.time);
  if (point.not_before && point.not_after) {
    return fmt::format("between {} and {}", shown(*point.not_before), shown(*point.not_after));
  }
  if (point.not_before) return "after " + shown(*point.not_before);
  return "an unknown time";
}

std::string in_words(const WalRange& range, std::uint64_t segment_size) {
  auto first = file_name(range.first_segment(), segment_size);
  if (range.count() == 1) return first;
  return fmt::format("{} to {} ({} segments)", first, file_name(range.last_segment(), segment_size),
                     range.count());
}

std::string in_words(const MapWindow& window) {
  const auto& end = window.end;
  if (window.begin.time && end.time && *end.time <= *window.begin.time) {
    return fmt::format("only the end of backup {}: no later commit is archived",
                       window.backups.front());
  }
  if (end.time) return fmt::format("{} to just before {}", when(window.begin), when(end));
  return fmt::format("{} to {}{}", when(window.begin), end.not_before ? "a time " : "", when(end));
}

namespace {

const std::vector<MapWindow>* latest_windows(const RecoveryMap& map) {
  if (map.archives.empty() || map.archives.front().branches.empty()) return nullptr;
  const auto& windows = map.archives.front().branches.front().windows;
  return windows.empty() ? nullptr : &windows;
}

}  // namespace

const MapWindow* oldest_window(const RecoveryMap& map) {
  const auto* windows = latest_windows(map);
  return windows == nullptr ? nullptr : &windows->front();
}

const MapWindow* newest_window(const RecoveryMap& map) {
  const auto* windows = latest_windows(map);
  return windows == nullptr ? nullptr : &windows->back();
}

}  // namespace pgrehearse
