// What a laboratory may leave behind: processes, and the lock that tells a live one from the
// remains of a dead one.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "harness/laboratory/laboratory_options.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// An exclusive flock on a file; ends with the process however that ends.
class OwnerLock {
 public:
  // Creates the file where needed. Not held: another process holds it.
  explicit OwnerLock(const std::filesystem::path& file);
  OwnerLock(OwnerLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OwnerLock& operator=(OwnerLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~OwnerLock();
  [[nodiscard]] bool held() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

struct FoundProcess {
  pid_t pid = 0;
  std::string name;
};

// PostgreSQL's processes of the cluster in `data`, and all whose environment holds `label`
// ("NAME=value"); zombies do not count.
std::vector<FoundProcess> find_processes(const std::filesystem::path& data,
                                         const std::string& label);

// Ends every process and removes every file of a laboratory, then looks again.
Removal remove_residue(const LaboratoryPaths& paths, const std::string& id);

}  // namespace pgrehearse
