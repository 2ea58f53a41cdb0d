#include "harness/agent/tools.hpp"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "harness/process/descriptor.hpp"

namespace pgrehearse::agent {

namespace {

constexpr int octal = 8;
constexpr int decimal = 10;
constexpr int open_directories = 32;

int fail(const std::string& path) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), std::strerror(errno));
  return 1;
}

bool copy(int from, int to) {
  std::array<char, 65536> buffer{};
  while (true) {
    const auto count = read(from, buffer.data(), buffer.size());
    if (count == 0) return true;
    if (count < 0) return false;
    for (ssize_t at = 0; at < count;) {
      const auto written = write(to, buffer.data() + at, static_cast<std::size_t>(count - at));
      if (written < 0) return false;
      at += written;
    }
  }
}

int read_file(const std::string& path, const std::string& offset) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return 0;
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) return fail(path);
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return fail(path);
  }
  const auto at = std::strtoll(offset.c_str(), nullptr, decimal);
  if (lseek(file.get(), at, SEEK_SET) < 0) return fail(path);
  return copy(file.get(), STDOUT_FILENO) ? 0 : fail(path);
}

int write_file(const std::string& path, const std::string& mode) {
  const auto unfinished = path + ".new";
  unlink(unfinished.c_str());
  const Descriptor file(
      open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return fail(path);
  const auto bits = static_cast<mode_t>(std::strtoul(mode.c_str(), nullptr, octal));
  if (copy(STDIN_FILENO, file.get()) && fchmod(file.get(), bits) == 0 &&
      rename(unfinished.c_str(), path.c_str()) == 0) {
    return 0;
  }
  const int code = fail(path);
  unlink(unfinished.c_str());
  return code;
}

// nftw() passes no user data to its callback.
unsigned long long total = 0;

int print_size(const std::string& path) {
  const auto add = [](const char*, const struct stat* status, int, FTW*) {
    if (S_ISREG(status->st_mode)) total += static_cast<unsigned long long>(status->st_size);
    return 0;
  };
  nftw(path.c_str(), add, open_directories, FTW_PHYS);
  std::printf("%llu\n", total);
  return 0;
}

int print_files(const std::string& path) {
  const auto print = [](const char* name, const struct stat* status, int, FTW*) {
    if (S_ISREG(status->st_mode)) std::fwrite(name, 1, std::strlen(name) + 1, stdout);
    return 0;
  };
  nftw(path.c_str(), print, open_directories, FTW_PHYS);
  return 0;
}

int print_free(const std::string& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0) return fail(path);
  std::printf("%llu\n", static_cast<unsigned long long>(status.f_bavail) * status.f_frsize);
  return 0;
}

int make_pipe(const std::string& path) { return mkfifo(path.c_str(), 0600) == 0 ? 0 : fail(path); }

int print_killed() {
  const Descriptor file(open("/proc/vmstat", O_RDONLY | O_CLOEXEC));
  std::array<char, 32768> text{};
  if (!file || read(file.get(), text.data(), text.size() - 1) <= 0) return fail("/proc/vmstat");
  const char* line = std::strstr(text.data(), "\noom_kill ");
  std::printf("%s\n",
              line == nullptr
                  ? "0"
                  : std::string(line + 10).substr(0, std::strcspn(line + 10, "\n")).c_str());
  return 0;
}

}  // namespace

int run_tool(std::span<const std::string_view> words) {
  const auto word = [&](std::size_t number) {
    return number < words.size() ? std::string(words[number]) : std::string();
  };
  const auto tool = word(0);
  if (tool == "read") return read_file(word(1), word(2));
  if (tool == "write") return write_file(word(1), word(2));
  if (tool == "size") return print_size(word(1));
  if (tool == "files") return print_files(word(1));
  if (tool == "free") return print_free(word(1));
  if (tool == "killed") return print_killed();
  if (tool == "pipe") return make_pipe(word(1));
  std::fprintf(stderr, "this program runs inside pgrehearse containers and virtual machines\n");
  return 1;
}

}  // namespace pgrehearse::agent
