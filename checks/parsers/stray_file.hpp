// Distinguishes files of PostgreSQL from others by name.
#pragma once

#include <string_view>

namespace pgrehearse {

// Whether PostgreSQL never gives this name to a file in a database's directory or in global
// (relpath.c, pg_checksums.c): "1259.bak", "README".
bool is_stray_file(std::string_view name);

}  // namespace pgrehearse
