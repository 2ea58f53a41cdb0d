#include "harness/cli/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <system_error>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

NewFile::NewFile(fs::path file) : file_(std::move(file)) {
  if (file_ == "-") return;
  std::error_code failure;
  if (fs::exists(file_, failure) && !fs::is_regular_file(file_, failure)) {
    errno = 0;
    stream_.open(file_, std::ios::binary);
    if (!stream_.is_open()) fail(errno != 0 ? errno : EIO);
    return;
  }
  // A symbolic link is kept; its target is replaced.
  const auto target = fs::weakly_canonical(file_, failure);
  if (!failure) file_ = target;
  part_ = fmt::format("{}.{}.part", file_.string(), getpid());
  const int descriptor = open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) fail(errno);
  close(descriptor);
  stream_.open(part_, std::ios::binary | std::ios::trunc);
  if (!stream_.is_open()) fail(errno != 0 ? errno : EIO);
}

NewFile::~NewFile() {
  if (part_.empty()) return;
  stream_.close();
  unlink(part_.c_str());
}

void NewFile::fail(int error) const {
  throw Error(
      ErrorKind::environment,
      fmt::format("cannot write '{}': {}", file_.string(), std::generic_category().message(error)),
      "choose a file in a writable directory with enough free space", FindingCode::env_file,
      file_.string());
}

std::ostream& NewFile::out() {
  if (file_ == "-") return std::cout;
  return stream_;
}

void NewFile::commit() {
  errno = 0;
  out().flush();
  if (!out()) fail(errno != 0 ? errno : EIO);
  if (file_ == "-") return;
  stream_.close();
  if (stream_.fail()) fail(errno != 0 ? errno : EIO);
  if (part_.empty()) return;
  if (std::rename(part_.c_str(), file_.c_str()) != 0) fail(errno);
  part_.clear();
}

}  // namespace pgrehearse
