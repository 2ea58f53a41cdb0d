// The directory of one proof, registered like a laboratory so that `clean` can remove what a killed
// process leaves.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "harness/process/command.hpp"
#include "harness/sandbox/registry.hpp"

namespace pgrehearse {

class ProofDirectory {
 public:
  // Creates `<parent>/<id>`, mode 0700, owned by the account, and registers it in `state`. Throws
  // Error(environment).
  ProofDirectory(const std::filesystem::path& state, const std::filesystem::path& parent,
                 const std::string& id, const Account& account);
  // The state directory of the proof's drills: owned by this process's account, as a state
  // directory must be, and open to the sandboxes' account.
  static ProofDirectory for_drills(const std::filesystem::path& state,
                                   const std::filesystem::path& parent, const std::string& id);
  ProofDirectory(const ProofDirectory&) = delete;
  ProofDirectory& operator=(const ProofDirectory&) = delete;
  ~ProofDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return entry_.root; }

 private:
  ProofDirectory(const std::filesystem::path& state, const std::filesystem::path& parent,
                 const std::string& id, const Account& account, mode_t mode);

  RegistryEntry entry_;
  OwnedEntry owned_;
};

}  // namespace pgrehearse
