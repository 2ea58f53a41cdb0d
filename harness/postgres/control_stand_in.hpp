// A pg_control for a data directory that holds no cluster: backup tools find a cluster's archive by
// it. pg_resetwal makes the file; this gives it the cluster's identity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pgrehearse {

// `control` (the whole file) with that system identifier and a fitting checksum, whatever the major
// version's layout; nullopt when its own checksum is nowhere to be found.
std::optional<std::string> with_system_identifier(std::string control, std::uint64_t identifier);

}  // namespace pgrehearse
