// A file that appears under its name only when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ostream>

namespace pgrehearse {

class NewFile {
 public:
  // Writes beside `file` until commit(); "-" is standard output, a device or a pipe is written as
  // it is. Readable by the owner alone. Throws Error(environment).
  explicit NewFile(std::filesystem::path file);
  // What was not committed is removed.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  std::ostream& out();
  // Takes the place of what was there. Throws Error(environment) when anything was not written.
  void commit();

 private:
  [[noreturn]] void refuse(int error) const;

  std::filesystem::path file_;
  std::filesystem::path part_;  // empty: written in place
  std::ofstream stream_;
};

}  // namespace pgrehearse
