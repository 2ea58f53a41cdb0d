// A temporary file without a name: gone with the process, however that ends.
#pragma once

#include <filesystem>

namespace pgrehearse {

class UnnamedFile {
 public:
  // In the system's directory for temporary files. Throws Error(environment).
  UnnamedFile();
  ~UnnamedFile();
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;

  // Opens it again, for this process only; may be opened as often as wanted.
  [[nodiscard]] std::filesystem::path path() const;

 private:
  int descriptor_ = -1;
};

}  // namespace pgrehearse
