#include "harness/reporting/map/map_drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/report/archive_record.hpp"

namespace pgrehearse {

std::optional<RecoveryDrawing> draw_archive(const MapArchive& archive,
                                            const MapRenderOptions& options,
                                            std::size_t most_ticks) {
  DrawingInput input{.backups = archived_backups(archive),
                     .target = options.at,
                     .utc_offset = options.utc_offset,
                     .most_ticks = most_ticks};
  if (archive.listed_at != Instant{}) input.now = archive.listed_at;
  for (const auto& branch : archive.branches) {
    input.branches.push_back({.label = fmt::format("timeline {}", branch.timeline),
                              .ranges = archive_ranges(branch, archive.segment_size)});
  }
  return draw_recovery(input);
}

std::vector<MapCell> map_cells(const RecoveryDrawing::Row& row, std::size_t columns) {
  std::vector<MapCell> cells(columns, MapCell::outside);
  const auto width = static_cast<double>(columns);
  for (const auto& bar : row.bars) {
    const auto cell = bar.kind == "missing" ? MapCell::missing
                      : bar.kind == "lost"  ? MapCell::lost
                                            : MapCell::recoverable;
    const auto first = static_cast<std::size_t>(std::clamp(bar.begin, 0.0, 1.0) * width);
    const auto last = static_cast<std::size_t>(std::ceil(std::clamp(bar.end, 0.0, 1.0) * width));
    // A bar that is narrower than a column is shown all the same.
    for (auto column = std::min(first, columns - 1); column < std::max(last, first + 1); ++column) {
      if (column < columns) cells[column] = std::max(cells[column], cell);
    }
  }
  return cells;
}

}  // namespace pgrehearse
