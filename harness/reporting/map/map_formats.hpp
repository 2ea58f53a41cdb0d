// The recovery map as text, JSON and SVG.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "harness/map/recovery_map.hpp"

namespace pgrehearse {

struct MapRenderOptions {
  bool color = false;
  bool unicode = true;  // false: ASCII only
  int width = 100;      // columns
};

// A diagram that fits the width, a legend, and what is lost and why.
void write_map_text(const RecoveryMap& map, const MapRenderOptions& options, std::ostream& out);
// Schema "pgrehearse.map/1", docs/map.schema.json.
void write_map_json(const RecoveryMap& map, std::ostream& out);
// One self-contained picture, without scripts or external references.
void write_map_svg(const RecoveryMap& map, std::ostream& out);

// The content of one cell of the diagram: the worst in its part of the WAL.
enum class MapCell { outside, recoverable, lost, missing };
// One row: `columns` equal parts of the WAL from `begin` to `end`.
std::vector<MapCell> map_cells(const MapBranch& branch, std::uint64_t segment_size, Lsn begin,
                               Lsn end, std::size_t columns);

// The WAL that all branches of an archive span.
struct MapSpan {
  Lsn begin;
  Lsn end;
};
MapSpan span_of(const MapArchive& archive);
// Where an LSN is in the span, 0 to 1.
double share_of(const MapSpan& span, Lsn lsn);
// The column of an LSN, 0 to columns - 1.
std::size_t column_of(const MapSpan& span, Lsn lsn, std::size_t columns);

// "archive 15-1, PostgreSQL 15, repository 1: 2 backups, 40 WAL segments, 141.8 MB"
std::string in_words(const MapArchive& archive);
// 'F', 'D' or 'I'; 'x' if it is unusable.
char letter_of(const MappedBackup& backup);

// "2026-11-20 09:12:44 UTC", "between ... and ...", "an unknown time".
std::string when(const MapPoint& point);
// "00000001000000000000000A to ...0C (3 segments)"
std::string in_words(const WalRange& range, std::uint64_t segment_size);
// The recoverable range in one line.
std::string in_words(const MapWindow& window);

// The oldest and newest window on the latest timeline of the newest archive; nullptr: none.
const MapWindow* oldest_window(const RecoveryMap& map);
const MapWindow* newest_window(const RecoveryMap& map);

}  // namespace pgrehearse
