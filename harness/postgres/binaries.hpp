// Finds the PostgreSQL binaries of a major version.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgrehearse {

// Where to search; the default is this host.
struct BinaryLocations {
  std::filesystem::path root = "/";
  std::string search_path;  // colon separated
  // The root directory and this process's PATH.
  static BinaryLocations of_this_host();
};

// Searches only `stated` if given, else /usr/lib/postgresql/N/bin, /usr/pgsql-N/bin, the directory
// of `pg_config` in PATH, and PATH, for a directory whose `postgres` has that major version. Runs
// nothing: the version is read from the file. Throws Error(environment) with the directories
// searched and the package to install.
std::filesystem::path find_binaries(
    int major, const std::optional<std::filesystem::path>& stated,
    const BinaryLocations& locations = BinaryLocations::of_this_host());

// Major versions that find_binaries finds in the standard locations, ascending.
std::vector<int> installed_majors(
    const BinaryLocations& locations = BinaryLocations::of_this_host());
// The newest of them. Throws Error(environment) if there is none.
int newest_installed_major(const BinaryLocations& locations = BinaryLocations::of_this_host());

}  // namespace pgrehearse
