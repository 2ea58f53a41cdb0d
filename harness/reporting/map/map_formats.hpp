// The recovery map in its formats. What a map holds is decided in repository/recovery_map.
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

// A picture that fits the width, a legend, and what is lost and why.
void write_map_text(const RecoveryMap& map, const MapRenderOptions& options, std::ostream& out);
// Schema "pgrehearse.map/1", docs/map.schema.json.
void write_map_json(const RecoveryMap& map, std::ostream& out);
// One self-contained picture, without scripts and outside references.
void write_map_svg(const RecoveryMap& map, std::ostream& out);

// What a cell of the picture stands for; the worst that lies in it is shown.
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
// The column of an LSN, 0 to columns - 1.
std::size_t column_of(const MapSpan& span, Lsn lsn, std::size_t columns);

// The LSN at which a set ends; that of its last segment where it records none.
Lsn end_of(const Backup& backup, std::uint64_t segment_size);

// "2026-11-20 09:12:44 UTC", "between ... and ...", "unknown".
std::string when(const MapPoint& point);
// "00000001000000000000000A to ...0C (3 segments)"
std::string in_words(const WalRange& range, std::uint64_t segment_size);
// The recoverable instants of a stretch in one line.
std::string in_words(const MapStretch& stretch);

// The oldest and newest instant that `latest` can bring back in the newest archive; nullptr: none.
const MapStretch* oldest_stretch(const RecoveryMap& map);
const MapStretch* newest_stretch(const RecoveryMap& map);

}  // namespace pgrehearse
