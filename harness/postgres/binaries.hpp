// Where PostgreSQL's programs of one major version are.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgrehearse {

// Looks in `stated` (if given), /usr/lib/postgresql/N/bin, /usr/pgsql-N/bin, `pg_config --bindir`'s
// place in PATH, and PATH, for a directory whose `postgres` is of that major version.
// Throws Error(environment) that lists where it looked and the package that would help.
std::filesystem::path find_binaries(int major, const std::optional<std::filesystem::path>& stated);

// Major versions that find_binaries finds in its standard places.
std::vector<int> installed_majors();

}  // namespace pgrehearse
