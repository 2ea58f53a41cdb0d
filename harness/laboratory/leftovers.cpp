#include <chrono>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = "demo-";
// create() writes the record once it holds the lock; a directory that stays without one is dead.
constexpr auto time_to_write_record = std::chrono::minutes(1);

bool is_laboratory(const fs::path& root) {
  std::error_code failure;
  if (fs::exists(root / "laboratory.json", failure)) return true;
  const auto changed = fs::last_write_time(root, failure);
  return !failure && fs::exists(root / "owner.lock", failure) &&
         fs::file_time_type::clock::now() - changed > time_to_write_record;
}

}  // namespace

fs::path laboratory_root(const fs::path& directory, const std::string& id) {
  return directory / (std::string(prefix) + id);
}

std::vector<Leftover> list_laboratories(const fs::path& directory) {
  std::vector<Leftover> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure)) {
    const auto name = entry.path().filename().native();
    if (!name.starts_with(prefix) || !entry.is_directory(failure) || !is_laboratory(entry.path())) {
      continue;
    }
    found.push_back({.run_id = name.substr(prefix.size()),
                     .type = "laboratory",
                     .scenario = "demo",
                     .root = entry.path(),
                     .kept = fs::exists(entry.path() / "kept", failure),
                     .alive = !OwnerLock(entry.path() / "owner.lock").held()});
  }
  return found;
}

Removal remove_laboratory(const Leftover& leftover) {
  const OwnerLock lock(leftover.root / "owner.lock");
  if (!lock.held()) {
    throw Error(ErrorKind::environment,
                "laboratory " + leftover.run_id + " is in use by a running demo");
  }
  return remove_residue(laboratory_paths(leftover.root, leftover.run_id), leftover.run_id);
}

}  // namespace pgrehearse
