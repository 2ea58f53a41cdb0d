#include "harness/sandbox/scratch_directory.hpp"

#include <spdlog/spdlog.h>

#include <system_error>

#include "harness/common/host_name.hpp"
#include "harness/common/units.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace {

OwnedEntry publish(const Registry& registry, const std::string& name, const Account& account,
                   const std::filesystem::path& path) {
  return registry.publish({.run_id = name,
                           .type = "local",
                           .scenario = "(paths of the backup tool)",
                           .created = to_iso8601(std::chrono::system_clock::now()),
                           .host = host_name(),
                           .boot_id = boot_id(),
                           .account = account.name,
                           .root = path});
}

}  // namespace

ScratchDirectory::ScratchDirectory(const std::filesystem::path& state, const std::string& name,
                                   const Account& account)
    : account_(account),
      path_(Registry(state).directory() / name),
      owned_(publish(Registry(state), name, account, path_)) {
  try {
    make_open_directories(path_.parent_path());
    require_reachable(path_.parent_path(), account);
    make_private_directory(path_, account);
  } catch (...) {
    owned_.remove();
    throw;
  }
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code failure;
  remove_tree_of(account_, path_);
  if (std::filesystem::exists(std::filesystem::symlink_status(path_, failure))) {
    // The registry entry remains: `clean` and the next run remove the rest.
    spdlog::warn("cannot remove {} completely", path_.string());
    return;
  }
  owned_.remove();
}

}  // namespace pgrehearse
