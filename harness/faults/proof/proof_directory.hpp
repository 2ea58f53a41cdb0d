// The directory of one proof: registered like a laboratory, so that what a killed process leaves of
// it is found and removed with everything else.
#pragma once

#include <filesystem>
#include <string>

#include "harness/process/command.hpp"
#include "harness/sandbox/registry.hpp"

namespace pgrehearse {

class ProofDirectory {
 public:
  // `<parent>/<id>`, mode 0700, owned by the account; `state`: where it is registered. Throws
  // Error(environment).
  ProofDirectory(const std::filesystem::path& state, const std::filesystem::path& parent,
                 const std::string& id, const Account& account);
  ProofDirectory(const ProofDirectory&) = delete;
  ProofDirectory& operator=(const ProofDirectory&) = delete;
  ~ProofDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return entry_.root; }

 private:
  RegistryEntry entry_;
  OwnedEntry owned_;
};

}  // namespace pgrehearse
