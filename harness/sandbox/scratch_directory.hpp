// A private directory on this host for the paths of the backup tool, in addition to the sandbox.
#pragma once

#include <filesystem>
#include <string>

#include "harness/process/command.hpp"
#include "harness/sandbox/registry.hpp"

namespace pgrehearse {

// Removed by the destructor. Registered like a sandbox, so that leftovers of killed processes are
// found and removed.
class ScratchDirectory {
 public:
  // `<state>/sandboxes/<name>`, mode 0700, owned by the account. Throws Error(environment).
  ScratchDirectory(const std::filesystem::path& state, const std::string& name,
                   const Account& account);
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  Account account_;
  std::filesystem::path path_;
  OwnedEntry owned_;
};

}  // namespace pgrehearse
