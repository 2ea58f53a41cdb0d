#include "harness/serve/state_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/process/descriptor.hpp"

namespace pgrehearse {

namespace {

Descriptor open_file(const std::filesystem::path& file, int flags) {
  return Descriptor(open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
}

[[noreturn]] void refuse(const std::filesystem::path& file, int error) {
  throw Error(
      ErrorKind::environment,
      fmt::format("cannot write {}: {}", file.string(), std::generic_category().message(error)),
      "set --state to a directory that this account can write to", FindingCode::env_state);
}

}  // namespace

std::optional<std::string> read_state_file(const std::filesystem::path& file) {
  const auto descriptor = open_file(file, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != geteuid()) {
    return {};
  }
  std::string text;
  std::array<char, 4096> portion{};
  ssize_t count = 0;
  while ((count = read(descriptor.get(), portion.data(), portion.size())) > 0) {
    text.append(portion.data(), static_cast<std::size_t>(count));
  }
  if (count < 0) return {};
  return text;
}

void write_state_file(const std::filesystem::path& file, const std::string& text) {
  std::error_code failure;
  std::filesystem::create_directories(file.parent_path(), failure);
  const std::filesystem::path unfinished =
      fmt::format("{}.{}.new", file.string(), static_cast<int>(getpid()));
  {
    const auto descriptor = open_file(unfinished, O_WRONLY | O_CREAT | O_TRUNC);
    if (descriptor.get() < 0) refuse(file, errno);
    for (std::size_t written = 0; written < text.size();) {
      const auto count = write(descriptor.get(), text.data() + written, text.size() - written);
      if (count < 0) {
        const int error = errno;
        unlink(unfinished.c_str());
        refuse(file, error);
      }
      written += static_cast<std::size_t>(count);
    }
    fsync(descriptor.get());
  }
  if (std::rename(unfinished.c_str(), file.c_str()) != 0) {
    const int error = errno;
    unlink(unfinished.c_str());
    refuse(file, error);
  }
}

}  // namespace pgrehearse
