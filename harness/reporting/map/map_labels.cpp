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

// The worst stays.
void mark(std::vector<MapCell>& cells, const MapSpan& span, Lsn begin, Lsn end, MapCell cell) {
  if (end <= begin || end <= span.begin || begin >= span.end) return;
  const auto first = column_of(span, begin, cells.size());
  const auto last = column_of(span, Lsn{end.value - 1}, cells.size());
  for (auto column = first; column <= last; ++column) {
    cells[column] = std::max(cells[column], cell);
  }
}

}  // namespace

std::size_t column_of(const MapSpan& span, Lsn lsn, std::size_t columns) {
  if (lsn <= span.begin || columns < 2 || span.end <= span.begin) return 0;
  const auto share = static_cast<double>(lsn.value - span.begin.value) /
                     static_cast<double>(span.end.value - span.begin.value);
  return std::min(columns - 1, static_cast<std::size_t>(share * static_cast<double>(columns)));
}

std::vector<MapCell> map_cells(const MapBranch& branch, std::uint64_t segment_size, Lsn begin,
                               Lsn end, std::size_t columns) {
  const MapSpan span{begin, end};
  std::vector<MapCell> cells(columns, MapCell::outside);
  for (const auto& stretch : branch.stretches) {
    mark(cells, span, stretch.begin.lsn, stretch.end.lsn, MapCell::recoverable);
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

Lsn end_of(const Backup& backup, std::uint64_t segment_size) {
  if (backup.stop_lsn) return *backup.stop_lsn;
  const auto stop = parse_wal_segment(backup.stop_segment, segment_size);
  return stop ? Lsn{(stop->number + 1) * segment_size} : Lsn{};
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
  return "at an unknown time";
}

std::string in_words(const WalRange& range, std::uint64_t segment_size) {
  auto first = file_name(range.first_segment(), segment_size);
  if (range.count() == 1) return first;
  return fmt::format("{} to {} ({} segments)", first, file_name(range.last_segment(), segment_size),
                     range.count());
}

std::string in_words(const MapStretch& stretch) {
  const auto& end = stretch.end;
  if (stretch.begin.time && end.time && *end.time <= *stretch.begin.time) {
    return fmt::format("the end of {} only: no later commit is archived", stretch.sets.front());
  }
  if (end.time) return fmt::format("{} to just before {}", when(stretch.begin), when(end));
  return fmt::format("{} to an instant {}", when(stretch.begin), when(end));
}

const MapStretch* oldest_stretch(const RecoveryMap& map) {
  if (map.archives.empty() || map.archives.front().branches.empty()) return nullptr;
  const auto& stretches = map.archives.front().branches.front().stretches;
  return stretches.empty() ? nullptr : &stretches.front();
}

const MapStretch* newest_stretch(const RecoveryMap& map) {
  if (map.archives.empty() || map.archives.front().branches.empty()) return nullptr;
  const auto& stretches = map.archives.front().branches.front().stretches;
  return stretches.empty() ? nullptr : &stretches.back();
}

}  // namespace pgrehearse
