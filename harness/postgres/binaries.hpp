// The directory of the PostgreSQL binaries of one major version.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgrehearse {

// Where to look; the default is this machine.
struct BinaryPlaces {
  std::filesystem::path root = "/";
  std::string search_path;  // colon separated
  // The machine's root and this process's PATH.
  static BinaryPlaces of_this_machine();
};

// Looks in `stated` (if given, then nowhere else), /usr/lib/postgresql/N/bin, /usr/pgsql-N/bin,
// the place of the `pg_config` in PATH, and PATH, for a directory whose `postgres` is of that major
// version. Runs nothing: the version is read from the program's own text.
// Throws Error(environment) that lists where it looked and the package that would help.
std::filesystem::path find_binaries(int major, const std::optional<std::filesystem::path>& stated,
                                    const BinaryPlaces& places = BinaryPlaces::of_this_machine());

// Major versions that find_binaries finds in its standard places, ascending.
std::vector<int> installed_majors(const BinaryPlaces& places = BinaryPlaces::of_this_machine());

}  // namespace pgrehearse
