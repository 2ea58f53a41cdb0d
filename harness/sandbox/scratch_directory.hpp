// A private directory beside the sandbox, for the backup tool's paths on the harness's side.
#pragma once

#include <filesystem>
#include <string>

#include "harness/process/command.hpp"
#include "harness/sandbox/registry.hpp"

namespace pgrehearse {

// Registered like a sandbox, so that what a killed process leaves of it is found and removed with
// the other leftovers. Removed by the destructor.
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
  std::filesystem::path path_;
  OwnedEntry owned_;
};

}  // namespace pgrehearse
