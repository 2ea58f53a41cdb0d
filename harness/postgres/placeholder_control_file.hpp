// The pg_control of a placeholder data directory, by which backup tools identify a cluster's
// archive. pg_resetwal creates the file; this sets the cluster's identity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pgrehearse {

// `control` (the whole file, of any major version) with that system identifier and a correct
// checksum; nullopt when its present checksum cannot be located.
std::optional<std::string> with_system_identifier(std::string control, std::uint64_t identifier);

}  // namespace pgrehearse
