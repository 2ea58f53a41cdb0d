#include "harness/primary/fingerprint/unnamed_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/common/error.hpp"

namespace pgrehearse {

UnnamedFile::UnnamedFile() {
  std::string name = std::filesystem::temp_directory_path() / "pgrehearse-XXXXXX";
  descriptor_ = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot create temporary file {}: {}", name, std::strerror(errno)),
                "set TMPDIR to a directory with free space", FindingCode::env_file, name);
  }
  unlink(name.c_str());
}

UnnamedFile::~UnnamedFile() { close(descriptor_); }

std::filesystem::path UnnamedFile::path() const {
  return fmt::format("/proc/self/fd/{}", descriptor_);
}

}  // namespace pgrehearse
