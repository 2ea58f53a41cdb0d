// Asks the repository, and the primary where one is named, for what a recovery map is drawn from.
#pragma once

#include <stop_token>

#include "harness/map/recovery_map.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

enum class MapReading { list, verify };

// One listing of the sets and one of each archive; times at edges are bounds. `verify` lets the
// backup tool read every file besides. Throws Error.
RecoveryMap build_map(const RepositorySpec& spec, BackupRepository& repository, MapReading reading,
                      const std::stop_token& stop);

// Fills in `lag`; a primary that cannot be asked goes to `unknown`, one of another cluster too.
void measure_lag(RecoveryMap& map, const Primary& primary, const std::stop_token& stop);

}  // namespace pgrehearse
