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
  bool unicode = true;                 // false: ASCII only
  int width = 100;                     // columns
  std::optional<Instant> at = {};      // a time to mark
  std::chrono::minutes utc_offset{0};  // of the times on the axis
};

// A diagram that fits the width, a legend, and what is lost and why.
void write_map_text(const RecoveryMap& map, const MapRenderOptions& options, std::ostream& out);
// Schema "pgrehearse.map/1", docs/map.schema.json.
void write_map_json(const RecoveryMap& map, std::ostream& out);
// One self-contained picture, without scripts or external references.
void write_map_svg(const RecoveryMap& map, const MapRenderOptions& options, std::ostream& out);

// "archive 15-1, PostgreSQL 15, repository 1: 2 backups, 40 WAL segments, 141.8 MB"
std::string in_words(const MapArchive& archive);
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
