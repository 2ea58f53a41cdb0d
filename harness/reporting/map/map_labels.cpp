#include <fmt/format.h>

#include <algorithm>

#include "harness/reporting/map/map_formats.hpp"

namespace pgrehearse {

namespace {

std::string shown(Instant instant) {
  auto text = to_iso8601(instant);
  text[10] = ' ';
  text.pop_back();
  const auto dot = text.find('.');
  if (text.substr(dot) == ".000000") text.erase(dot);
  return text + " UTC";
}

// Keeps the worst.
void mark(std::vector<MapCell>& cells, const MapSpan& span, Lsn begin, Lsn end, MapCell cell) {
  if (end <= begin || end <= span.begin || begin >= span.end) return;
  const auto first = column_of(span, begin, cells.size());
  const auto last = column_of(span, Lsn{end.value - 1}, cells.size());
  for (auto column = first; column <= last; ++column) {
    cells[column] = std::max(cells[column], cell);
  }
}

}  // namespace

double share_of(const MapSpan& span, Lsn lsn) {
  if (lsn <= span.begin || span.end <= span.begin) return 0;
  const auto share = static_cast<double>(lsn.value - span.begin.value) /
                     static_cast<double>(span.end.value - span.begin.value);
  return std::min(share, 1.0);
}

std::size_t column_of(const MapSpan& span, Lsn lsn, std::size_t columns) {
  if (columns < 2) return 0;
  const auto column = share_of(span, lsn) * static_cast<double>(columns);
  return std::min(columns - 1, static_cast<std::size_t>(column));
}

std::vector<MapCell> map_cells(const MapBranch& branch, std::uint64_t segment_size, Lsn begin,
                               Lsn end, std::size_t columns) {
  const MapSpan span{begin, end};
  std::vector<MapCell> cells(columns, MapCell::outside);
  for (const auto& window : branch.windows) {
    mark(cells, span, window.begin.lsn, window.end.lsn, MapCell::recoverable);
  }
  for (const auto& loss : branch.losses) {
    mark(cells, span, loss.begin.lsn, loss.end.lsn, MapCell::lost);
  }
  for (const auto& gap : branch.gaps) {
    mark(cells, span, start_of(gap.first_segment(), segment_size),
         Lsn{(gap.last + 1) * segment_size}, MapCell::missing);
  }
  return cells;
}

std::string in_words(const MapArchive& archive) {
  return fmt::format("archive {}, PostgreSQL {}, repository {}: {} backups, {} WAL segments, {}",
                     archive.id, archive.postgres_version, archive.repository_key,
                     archive.backups.size(), archive.segments, to_text(archive.bytes));
}

char letter_of(const MappedBackup& backup) {
  if (!backup.usable()) return 'x';
  switch (backup.backup.type) {
    case BackupType::full:
      return 'F';
    case BackupType::differential:
      return 'D';
    case BackupType::incremental:
      break;
  }
  return 'I';
}

MapSpan span_of(const MapArchive& archive) {
  MapSpan span{Lsn{~std::uint64_t{0}}, Lsn{0}};
  for (const auto& branch : archive.branches) {
    span.begin = std::min(span.begin, branch.archive_begin);
    span.end = std::max(span.end, branch.archive_end);
    for (const auto& loss : branch.losses) span.end = std::max(span.end, loss.end.lsn);
  }
  if (span.end < span.begin) return {};
  return span;
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
