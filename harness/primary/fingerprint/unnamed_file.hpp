// A temporary file without a name, which disappears with the process.
#pragma once

#include <filesystem>

namespace pgrehearse {

class UnnamedFile {
 public:
  // In the system's temporary directory. Throws Error(environment).
  UnnamedFile();
  ~UnnamedFile();
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;

  // A path that opens it, in this process only, any number of times.
  [[nodiscard]] std::filesystem::path path() const;

 private:
  int descriptor_ = -1;
};

}  // namespace pgrehearse
