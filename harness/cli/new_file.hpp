// A file that is written to a temporary name and renamed when complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ostream>

namespace pgrehearse {

class NewFile {
 public:
  // Writes to a temporary file in the same directory until commit(). "-" is standard output; a
  // device or a pipe is written directly. Readable by the owner only. Throws Error(environment).
  explicit NewFile(std::filesystem::path file);
  // Removes the temporary file unless committed.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  std::ostream& out();
  // Replaces the previous file. Throws Error(environment) if anything could not be written.
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::filesystem::path file_;
  std::filesystem::path part_;  // empty: written directly
  std::ofstream stream_;
};

}  // namespace pgrehearse
