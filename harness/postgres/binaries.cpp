#include "harness/postgres/binaries.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string_view>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

std::optional<int> leading_number(std::string_view text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end == text.data()) return {};
  return number;
}

// The program file contains the output of `--version` as one string. Reading it works without
// running the program, so also for another architecture or with a missing library.
std::optional<int> major_in_text_of(const fs::path& program) {
  const std::string mark = program.filename().string() + " (PostgreSQL) ";
  std::ifstream file(program, std::ios::binary);
  constexpr std::size_t block = std::size_t{1} << 20;
  constexpr std::size_t longest_number = 8;
  std::string window;
  std::string buffer(block, '\0');
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(block));
    window.append(buffer, 0, static_cast<std::size_t>(file.gcount()));
    for (auto at = window.find(mark); at != std::string::npos; at = window.find(mark, at + 1)) {
      const auto number = std::string_view(window).substr(at + mark.size(), longest_number);
      if (number.size() < longest_number && file) break;  // the next block has the rest
      if (const auto major = leading_number(number)) return major;
    }
    // A mark may cross a block boundary.
    const auto keep = mark.size() + longest_number;
    if (window.size() > keep) window.erase(0, window.size() - keep);
  }
  return {};
}

std::optional<int> major_in(const fs::path& directory) {
  const auto server = directory / "postgres";
  if (access(server.c_str(), X_OK) != 0) return {};
  if (const auto major = major_in_text_of(server)) return major;
  // `postgres` may be a wrapper script (NixOS): then use pg_ctl.
  return major_in_text_of(directory / "pg_ctl");
}

std::vector<fs::path> path_directories(const BinaryLocations& locations) {
  std::vector<fs::path> directories;
  const auto entries = split(locations.search_path, ':');
  for (const auto entry : entries) {
    // Resolve links: pg_config is in the real directory.
    std::error_code missing;
    const auto real = fs::canonical(fs::path(entry) / "pg_config", missing);
    if (!missing) directories.push_back(real.parent_path());
  }
  for (const auto entry : entries) {
    if (entry.starts_with('/')) directories.emplace_back(entry);
  }
  return directories;
}

std::vector<fs::path> directories_for(int major, const BinaryLocations& locations) {
  std::vector<fs::path> directories{
      locations.root / fmt::format("usr/lib/postgresql/{}/bin", major),
      locations.root / fmt::format("usr/pgsql-{}/bin", major),
  };
  for (auto& directory : path_directories(locations)) {
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
      directories.push_back(std::move(directory));
    }
  }
  return directories;
}

}  // namespace

BinaryLocations BinaryLocations::of_this_host() {
  const char* path = std::getenv("PATH");
  return {.root = "/", .search_path = path == nullptr ? "" : path};
}

fs::path find_binaries(int major, const std::optional<fs::path>& stated,
                       const BinaryLocations& locations) {
  if (stated) {
    const auto found = major_in(*stated);
    if (found == major) return *stated;
    const auto what = found ? fmt::format("has PostgreSQL {}", *found) : "has no PostgreSQL";
    throw Error(
        ErrorKind::environment,
        fmt::format("{} {}, the backup needs {}", stated->string(), what, major),
        fmt::format("set sandbox.binaries to the directory of the PostgreSQL {} binaries", major),
        FindingCode::env_binaries, stated->string());
  }
  std::vector<std::string> searched;
  for (const auto& directory : directories_for(major, locations)) {
    if (major_in(directory) == major) return directory;
    searched.push_back(directory.string());
  }
  throw Error(
      ErrorKind::environment,
      fmt::format("no PostgreSQL {} binaries in {}", major, join(searched, ", ")),
      fmt::format("install the package postgresql-{0} (Debian, Ubuntu) or postgresql{0}-server and "
                  "postgresql{0}-contrib (RHEL)",
                  major),
      FindingCode::env_binaries, fmt::format("PostgreSQL {}", major));
}

std::vector<int> installed_majors(const BinaryLocations& locations) {
  std::vector<fs::path> directories;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(locations.root / "usr/lib/postgresql", ignored)) {
    directories.push_back(entry.path() / "bin");
  }
  for (const auto& entry : fs::directory_iterator(locations.root / "usr", ignored)) {
    if (entry.path().filename().string().starts_with("pgsql-")) {
      directories.push_back(entry.path() / "bin");
    }
  }
  for (auto& directory : path_directories(locations)) directories.push_back(std::move(directory));
  std::set<int> majors;
  for (const auto& directory : directories) {
    if (const auto major = major_in(directory)) majors.insert(*major);
  }
  return {majors.begin(), majors.end()};
}

int newest_installed_major(const BinaryLocations& locations) {
  const auto majors = installed_majors(locations);
  if (majors.empty()) {
    throw Error(ErrorKind::environment, "no PostgreSQL server binaries found",
                "install a PostgreSQL server of the backup's major version, for example the "
                "package postgresql-15 (Debian, Ubuntu) or postgresql15-server (RHEL)",
                FindingCode::env_binaries);
  }
  return majors.back();
}

}  // namespace pgrehearse
