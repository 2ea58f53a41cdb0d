// Builds a recovery map from the repository's listing, and measures the lag behind the primary.
#pragma once

#include <stop_token>

#include "harness/map/recovery_map.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

enum class MapReading { list, verify };

// Lists the backups once and each archive once; times are exact only at backups. With `verify` the
// backup tool also reads every file. Throws Error.
RecoveryMap build_map(const RepositorySpec& spec, BackupRepository& repository, MapReading reading,
                      const std::stop_token& stop);

// Fills in `lag`. An unreachable primary, or one of another cluster, is noted in `unknown`.
void measure_lag(RecoveryMap& map, const Primary& primary, const std::stop_token& stop);

}  // namespace pgrehearse
