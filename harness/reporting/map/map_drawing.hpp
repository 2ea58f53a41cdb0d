// The drawing of one archive of a recovery map.
#pragma once

#include "harness/map/recovery_map.hpp"
#include "harness/reporting/map/map_formats.hpp"
#include "harness/reporting/recovery_drawing.hpp"

namespace pgrehearse {

std::optional<RecoveryDrawing> draw_archive(const MapArchive& archive,
                                            const MapRenderOptions& options,
                                            std::size_t most_ticks);

// The content of one cell of a row in text: the worst in its part.
enum class MapCell { outside, recoverable, lost, missing };
std::vector<MapCell> map_cells(const RecoveryDrawing::Row& row, std::size_t columns);

}  // namespace pgrehearse
