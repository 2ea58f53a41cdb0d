#include "harness/faults/proof/proof_directory.hpp"

#include <spdlog/spdlog.h>

#include "harness/common/host_name.hpp"
#include "harness/common/units.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

ProofDirectory::ProofDirectory(const std::filesystem::path& state,
                               const std::filesystem::path& parent, const std::string& id,
                               const Account& account)
    : ProofDirectory(state, parent, id, account, 0700) {}

ProofDirectory::ProofDirectory(const std::filesystem::path& state,
                               const std::filesystem::path& parent, const std::string& id,
                               const Account& account, mode_t mode)
    : entry_{.run_id = id,
             .type = std::string(laboratory_type),
             .scenario = "prove",
             .created = to_iso8601(std::chrono::system_clock::now()),
             .host = host_name(),
             .boot_id = boot_id(),
             .account = account.name,
             .root = parent / id},
      owned_(Registry(state).publish(entry_)) {
  make_open_directories(parent);
  require_reachable(parent, account);
  make_private_directory(entry_.root, account);
  std::filesystem::permissions(entry_.root, std::filesystem::perms(mode));
}

ProofDirectory ProofDirectory::for_drills(const std::filesystem::path& state,
                                          const std::filesystem::path& parent,
                                          const std::string& id) {
  return ProofDirectory(state, parent, id + "-drills", current_account(), 0755);
}

ProofDirectory::~ProofDirectory() {
  try {
    const auto removal = remove_local_sandbox(entry_);
    if (removal.complete()) {
      owned_.remove();
      return;
    }
    spdlog::warn("{} could not be removed completely", entry_.root.native());
  } catch (const std::exception& failure) {
    // It remains registered, so that the next run or `clean` removes it.
    spdlog::warn("{} could not be removed: {}", entry_.root.native(), failure.what());
  }
}

}  // namespace pgrehearse
